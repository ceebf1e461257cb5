"""The directory in SQL: one indexed statement a question, whatever the number of rows; asked anew each time.

`smtpy.store.cache` stands before it on the mail path. Whatever the database has against answering is Unavailable: a
missing table or file is no more a "no" than a lost connection.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Engine, Executable, and_, bindparam, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased

from smtpy.config import Settings
from smtpy.directory import entries
from smtpy.directory.entries import SwitchedOff
from smtpy.directory.questions import Unavailable
from smtpy.store.cache import CachedDirectory, Source
from smtpy.store.engine import open_engine
from smtpy.store.epoch import EpochWatcher
from smtpy.store.records import ReturnToken
from smtpy.store.schema import Alias, AliasMailbox, Automatic, AutomaticMailbox, Domain, Mailbox, SigningKey, User
from smtpy.store.standby import WithStandby

_DomainOwner = aliased(User)


def _on(user: type[User]) -> ColumnElement[bool]:
    return and_(user.enabled, user.deleted_at.is_(None))


_WORKS = and_(Mailbox.enabled, Mailbox.verified_at.is_not(None), Mailbox.deleted_at.is_(None))

_DOMAIN = (
    select(
        Domain.id,
        Domain.uuid,
        Domain.name,
        and_(Domain.enabled, _on(User)),
        Domain.when_off,
        Mailbox.address,
        Domain.max_message_bytes,
        Domain.extension_separator,
        Domain.on_reject,
        Domain.on_quarantine,
    )
    .join(User, User.id == Domain.owner_id)
    .outerjoin(Mailbox, and_(Mailbox.id == Domain.role_mailbox_id, _WORKS))
    .where(Domain.name == bindparam("name"), Domain.deleted_at.is_(None), Domain.proven_at.is_not(None))
)

_AWAITED = select(Domain.id).where(
    Domain.name == bindparam("name"), Domain.deleted_at.is_(None), Domain.proven_at.is_(None)
)

_ALIAS = (
    select(
        Alias.id,
        Alias.uuid,
        Alias.mode,
        Alias.when_off,
        Alias.expires_at,
        Alias.deleted_at,
        Alias.enabled.label("alias_on"),
        and_(Domain.enabled, _on(_DomainOwner)).label("domain_on"),
        _on(User).label("owner_on"),
        Mailbox.address,
    )
    .join(User, User.id == Alias.owner_id)
    .join(Domain, Domain.id == Alias.domain_id)
    .join(_DomainOwner, _DomainOwner.id == Domain.owner_id)
    .outerjoin(AliasMailbox, AliasMailbox.alias_id == Alias.id)
    .outerjoin(Mailbox, and_(Mailbox.id == AliasMailbox.mailbox_id, _WORKS))
    .where(Alias.domain_id == bindparam("domain"), Alias.local == bindparam("local"))
    .order_by(AliasMailbox.position, AliasMailbox.mailbox_id)
)

_AUTOMATIC = (
    select(Automatic.id, Automatic.uuid, Automatic.pattern, Automatic.mode, Mailbox.address)
    .outerjoin(AutomaticMailbox, AutomaticMailbox.automatic_id == Automatic.id)
    .outerjoin(Mailbox, and_(Mailbox.id == AutomaticMailbox.mailbox_id, _WORKS))
    .where(Automatic.domain_id == bindparam("domain"), Automatic.enabled)
    .order_by(
        Automatic.pattern.is_(None),  # the catch-all last, wherever it stands
        Automatic.position,
        Automatic.id,
        AutomaticMailbox.position,
        AutomaticMailbox.mailbox_id,
    )
)

_SENDER = select(ReturnToken.sender).where(
    ReturnToken.token == bindparam("token"), ReturnToken.used_at >= bindparam("since")
)

_KEYS = (
    select(SigningKey.uuid, SigningKey.selector, SigningKey.algorithm, SigningKey.private)
    .where(
        SigningKey.domain_id == bindparam("domain"), SigningKey.used_from.is_not(None), SigningKey.retired_at.is_(None)
    )
    .order_by(SigningKey.used_from, SigningKey.id)
)


class SqlDirectory:
    """`questions.Directory` on a database. `token_days`: for how long after its last use a return token is good."""

    def __init__(self, engine: Engine, token_days: int = 21) -> None:
        self.engine = engine
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._token_age = timedelta(days=token_days)

    def domain(self, name: str) -> entries.Domain | None:
        rows = self._ask(_DOMAIN, name=name)
        return entries.Domain(*rows[0]) if rows else None

    def awaits(self, name: str) -> bool:
        return bool(self._ask(_AWAITED, name=name))

    def alias(self, domain: entries.Domain, local: str) -> entries.Alias | None:
        rows = self._ask(_ALIAS, domain=domain.id, local=local)
        if not rows:
            return None
        first = rows[0]
        return entries.Alias(
            id=first.id,
            uuid=first.uuid,
            local=local,
            domain=domain.name,
            mode=first.mode,
            mailboxes=_mailboxes(rows),
            off=_off(first),
            when_off=first.when_off,
            expires_at=first.expires_at,
            trashed=first.deleted_at is not None,
        )

    def automatic(self, domain: entries.Domain) -> tuple[entries.Automatic, ...]:
        rules = groupby(self._ask(_AUTOMATIC, domain=domain.id), key=lambda row: row.id)
        return tuple(_automatic(list(rows)) for _, rows in rules)

    def sender(self, token: str) -> str | None:
        rows = self._ask(_SENDER, token=token, since=datetime.now(UTC) - self._token_age)
        return rows[0].sender if rows else None

    def signing_keys(self, domain: entries.Domain) -> tuple[entries.SigningKey, ...]:
        newest = {row.algorithm: row for row in self._ask(_KEYS, domain=domain.id)}
        return tuple(
            entries.SigningKey(row.uuid, domain.name, row.selector, algorithm.value, row.private)
            for algorithm, row in newest.items()
        )

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def _ask(self, statement: Executable, **values: object) -> Sequence[Any]:
        try:
            with self._reading.connect() as connection:
                return connection.execute(statement, values).all()
        except SQLAlchemyError as error:
            raise Unavailable(f"the database does not answer ({type(error).__name__})") from error


def _automatic(rows: Sequence[Any]) -> entries.Automatic:
    first = rows[0]
    return entries.Automatic(first.id, first.uuid, first.pattern, first.mode, _mailboxes(rows))


def _mailboxes(rows: Sequence[Any]) -> tuple[str, ...]:
    return tuple(row.address for row in rows if row.address is not None)


def _off(row: Any) -> SwitchedOff | None:
    """The outermost switch that is off."""
    if not row.owner_on:
        return SwitchedOff.OWNER
    if not row.domain_on:
        return SwitchedOff.DOMAIN
    return None if row.alias_on else SwitchedOff.ALIAS


def open_directory(settings: Settings) -> CachedDirectory:
    """The directory of a process of the mail path, watched and cached. Does not need the database to be there yet."""
    source, watcher = _open(settings, settings.database_url)
    if settings.standby_url:
        standby, come = _open(settings, settings.standby_url, of_standby=True)
        source = WithStandby(source, standby, watcher, come)
    return CachedDirectory(source, watcher, settings.cache_entries)


def _open(settings: Settings, url: str, *, of_standby: bool = False) -> tuple[Source, EpochWatcher]:
    engine = open_engine(url, deadline=settings.deadline_seconds)
    watcher = EpochWatcher(engine, settings.epoch_poll_seconds, of_standby=of_standby)
    watcher.start()
    return SqlDirectory(engine, settings.srs_max_age_days), watcher
