"""How the last deliveries went, from what the worker has read of Postfix's logs."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine, select

from smtpy.store.events import MailEvent

ENDS = ("sent", "deferred", "bounced")  # of an attempt (smtpy.store.happenings)


class Tried(NamedTuple):
    """An attempt: on which host, how it ended, to which server (`none`: none was reached), in whose words."""

    host: str
    kind: str
    relay: str | None
    words: str | None


def latest(engine: Engine, since: datetime, most: int) -> list[Tried]:
    """Attempts after `since`, the last ones first."""
    columns = (MailEvent.host, MailEvent.kind, MailEvent.relay, MailEvent.words)
    wanted = select(*columns).where(MailEvent.at > since, MailEvent.kind.in_(ENDS))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return [Tried(*row) for row in connection.execute(wanted.order_by(MailEvent.at.desc()).limit(most))]
