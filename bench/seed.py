"""Many aliases in SMTPy's SQLite directory, quickly.

The administrative door would audit each of a million aliases. Here the first one is written by the
models, with their defaults, and the others are copies of it, made by one INSERT ... SELECT a table.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, literal, select
from sqlalchemy.orm import Session

from smtpy.store.engine import open_engine
from smtpy.store.epoch import bump
from smtpy.store.schema import Alias, AliasMailbox, Domain, Mailbox, User

OWNER = "owner@inbox.example"


def seed(database: Path, aliases: int, domain: str, mailboxes: list[str]) -> None:
    """One owner of one domain, these mailboxes, and in turn for them the aliases `alias`, `1alias`, `2alias`..."""
    engine = open_engine(f"sqlite:///{database}", deadline=60.0)
    with Session(engine) as session, session.begin():
        owner = User(email=OWNER, key=OWNER)
        session.add(owner)
        session.flush()
        boxes = [_mailbox(owner, each) for each in mailboxes]
        ours = Domain(owner_id=owner.id, name=domain, proven_at=datetime.now(UTC))
        session.add_all([*boxes, ours])
        session.flush()
        first = Alias(domain_id=ours.id, owner_id=owner.id, local="alias")
        session.add(first)
        session.flush()
        session.add(AliasMailbox(alias_id=first.id, mailbox_id=boxes[0].id))
        session.flush()
        _copy(session.connection(), first.id, aliases, len(boxes))
        bump(session.connection())
    engine.dispose()  # the last connection to go leaves no write-ahead log behind


def _mailbox(owner: User, address: str) -> Mailbox:
    where = address.partition("@")[2]
    return Mailbox(owner_id=owner.id, address=address, key=address, domain=where, verified_at=datetime.now(UTC))


def _copy(connection: Connection, first: int, aliases: int, mailboxes: int) -> None:
    """The aliases numbered from 1, and where they lead: mailbox ids follow each other as alias ids do."""
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < aliases - 1))
    n = numbers.c.n
    alias = {"id": Alias.id + n, "uuid": func.lower(func.hex(func.randomblob(16))), "local": func.printf("%dalias", n)}
    link = {"alias_id": AliasMailbox.alias_id + n, "mailbox_id": AliasMailbox.mailbox_id + n % mailboxes}
    changes: tuple[tuple[Any, Any, Mapping[str, Any]], ...] = (
        (Alias.__table__, Alias.id == first, alias),
        (AliasMailbox.__table__, AliasMailbox.alias_id == first, link),
    )
    for table, is_first, changed in changes:
        columns = [changed.get(each.name, each) for each in table.columns]
        rows = select(*columns).select_from(table.join(numbers, literal(True))).where(is_first)
        connection.execute(insert(table).from_select([each.name for each in table.columns], rows))
