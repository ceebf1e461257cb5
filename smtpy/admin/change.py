"""The one door for change: rows, audit rows and the epoch in one transaction, or nothing at all.

The epoch comes first. Its row is the lock under which changes happen one after the other, so that "is it there
already?" still holds when the row is written; and on SQLite a transaction that writes at once waits for its turn, where
one that reads first would be refused. An act that changed nothing leaves no trace and invalidates no cache.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin.scope import Viewer, look_as
from smtpy.store.epoch import bump
from smtpy.store.schema import Audit
from smtpy.vault import Vault

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

V = TypeVar("V", bound="DataclassInstance")


@dataclass(slots=True)
class Change:
    """An open change: who makes it, when, through which session, and on which mail server (in A-labels, if known).

    `vault` seals the keys it makes; without one it can make none. `client`: the address they came from, if they did.
    """

    session: Session
    actor: str
    now: datetime
    hostname: str | None = None
    vault: Vault | None = None
    client: str | None = None
    acts: int = 0

    def record(self, act: str, subject: str, before: V | None, after: V) -> V:
        """Note in the audit trail what differs; nothing if nothing does. Returns `after`."""
        old, new = _plain(before), _plain(after)
        moved = [name for name in new if name != "updated_at" and (old is None or old[name] != new[name])]
        if moved:
            earlier = None if old is None else {name: old[name] for name in moved}
            self.note(act, subject, earlier, {name: new[name] for name in moved})
        return after

    def removed(self, act: str, subject: str, before: "DataclassInstance") -> None:
        """Note that a row is gone for good."""
        self.note(act, subject, _plain(before), None)

    def note(self, act: str, subject: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        """One row of the audit trail; `before` and `after` as JSON can hold them."""
        self.acts += 1
        row = Audit(at=self.now, actor=self.actor, client=self.client, act=act, subject=subject)
        row.before, row.after = before, after
        self.session.add(row)


def _plain(view: "DataclassInstance | None") -> Any:
    """A view as JSON can hold it."""
    if view is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value
        for name, value in asdict(view).items()
    }


@contextlib.contextmanager
def reading(engine: Engine, viewer: Viewer | None = None) -> Iterator[Session]:
    """A session that only reads, and holds no lock for it; what a member sees, or else an operator."""
    with Session(engine.execution_options(isolation_level="AUTOCOMMIT")) as session:
        yield look_as(session, viewer)


@contextlib.contextmanager
def change(
    engine: Engine,
    *,
    by: str,
    hostname: str | None = None,
    vault: Vault | None = None,
    viewer: Viewer | None = None,
    client: str | None = None,
) -> Iterator[Change]:
    """Everything within the block happens, or, when it raises, nothing. `viewer`: who may change only their own."""
    with Session(engine, expire_on_commit=False) as session:
        look_as(session, viewer)
        bump(session.connection())
        opened = Change(session, by, datetime.now(UTC), hostname, vault, client)
        yield opened
        if opened.acts:
            session.commit()


@contextlib.contextmanager
def personal(
    engine: Engine,
    *,
    by: str,
    vault: Vault | None = None,
    viewer: Viewer | None = None,
    client: str | None = None,
) -> Iterator[Change]:
    """A change of what the mail path never asks: how people sign in. Audited like all others; no cache is emptied.

    Acts within do not wait for each other as those of `change` do, so each writes by a condition (`WHERE used_at IS
    NULL`) and looks whether it was the one that wrote.
    """
    with Session(engine, expire_on_commit=False) as session:
        look_as(session, viewer)
        opened = Change(session, by, datetime.now(UTC), None, vault, client)
        yield opened
        if opened.acts:
            session.commit()
