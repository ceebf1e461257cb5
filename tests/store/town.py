"""One owner with a domain, mailboxes and aliases: rows put in without the administration's rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.store.epoch import bump
from smtpy.store.schema import (
    Algorithm,
    Alias,
    AliasMailbox,
    Automatic,
    AutomaticMailbox,
    Domain,
    Mailbox,
    SigningKey,
    User,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@contextmanager
def changing(engine: Engine) -> Iterator[Session]:
    """One transaction that bumps the epoch."""
    with Session(engine) as session, session.begin():
        yield session
        session.flush()
        bump(session.connection())


class Town:
    """Adds rows and knows their ids by name."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def _add(self, row: Any) -> int:
        self.session.add(row)
        self.session.flush()
        return int(row.id)

    def owner(self, key: str = "owner@people.example", **values: Any) -> int:
        return self._add(User(email=key, key=key, **values))

    def mailbox(self, owner: int, address: str, **values: Any) -> int:
        values = {"verified_at": NOW, **values}
        domain = address.rpartition("@")[2]
        return self._add(Mailbox(owner_id=owner, address=address, key=address, domain=domain, **values))

    def domain(self, owner: int, name: str = "our.example", **values: Any) -> int:
        return self._add(Domain(owner_id=owner, name=name, **{"proven_at": NOW, **values}))

    def key(self, domain: int, selector: str, algorithm: Algorithm = Algorithm.RSA, **values: Any) -> int:
        sealed = {"private": f"sealed {selector}".encode(), "public": b"public", **values}
        return self._add(SigningKey(domain_id=domain, selector=selector, algorithm=algorithm, **sealed))

    def alias(self, owner: int, domain: int, local: str, mailboxes: tuple[int, ...], **values: Any) -> int:
        number = self._add(Alias(owner_id=owner, domain_id=domain, local=local, **values))
        # The order is the owner's, not that of the ids.
        for position, mailbox in enumerate(mailboxes):
            self.session.add(AliasMailbox(alias_id=number, mailbox_id=mailbox, position=position))
        return number

    def automatic(self, domain: int, position: int, pattern: str | None, *mailboxes: int, **values: Any) -> int:
        number = self._add(Automatic(domain_id=domain, position=position, pattern=pattern, **values))
        for place, mailbox in enumerate(mailboxes):
            self.session.add(AutomaticMailbox(automatic_id=number, mailbox_id=mailbox, position=place))
        return number


def found(engine: Engine) -> None:
    """The least there is: sales@our.example, which goes to one@far.example, and a key that signs."""
    with changing(engine) as session:
        town = Town(session)
        owner = town.owner()
        mailbox = town.mailbox(owner, "one@far.example")
        domain = town.domain(owner)
        town.alias(owner, domain, "sales", (mailbox,))
        town.key(domain, "r1", used_from=NOW)
