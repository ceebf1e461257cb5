"""What users, domains, mailboxes and aliases have in common: shown, switched on and off, put in the trash and back.

All four are idempotent: an act that finds things as it wants them changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from smtpy.admin.change import Change
from smtpy.admin.refusals import InTrash

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PAGE = 100  # rows of a listing unless told otherwise


class Row(Protocol):
    """A table row with a switch and a trash."""

    enabled: "bool"
    deleted_at: "datetime | None"


R = TypeVar("R", bound=Row)
V = TypeVar("V", bound="DataclassInstance")


def _fine(_change: Change, _row: object) -> None:
    """Nothing stands in the way."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[R, V]):
    """`find` raises NotFound and finds what is in the trash too; the two last raise a Refusal."""

    noun: str
    find: Callable[[Session, str], R]
    view: Callable[[Session, R], V]
    name: Callable[[V], str]
    may_delete: Callable[[Change, R], None] = _fine
    may_restore: Callable[[Change, R], None] = _fine

    def show(self, session: Session, name: str) -> V:
        """One row, in the trash or not. Raises NotFound."""
        return self.view(session, self.find(session, name))

    def living(self, session: Session, name: str) -> R:
        """A row that is not in the trash. Raises NotFound, InTrash."""
        row = self.find(session, name)
        if row.deleted_at is not None:
            raise InTrash(self.noun, f"{self.noun.capitalize()} {name} is in the trash. Restore it first.")
        return row

    def on(self, c: Change, name: str) -> V:
        """Switch on."""
        return self._edit(c, self.living(c.session, name), "on", enabled=True)

    def off(self, c: Change, name: str) -> V:
        """Switch off."""
        return self._edit(c, self.living(c.session, name), "off", enabled=False)

    def delete(self, c: Change, name: str) -> V:
        """Put into the trash, which keeps the name. Raises InUse."""
        row = self.find(c.session, name)
        if row.deleted_at is None:
            self.may_delete(c, row)
        return self._edit(c, row, "delete", deleted_at=row.deleted_at or c.now)

    def restore(self, c: Change, name: str) -> V:
        """Take out of the trash."""
        row = self.find(c.session, name)
        if row.deleted_at is not None:
            self.may_restore(c, row)
        return self._edit(c, row, "restore", deleted_at=None)

    def added(self, c: Change, row: R) -> V:
        """Write a new row and note it."""
        c.session.add(row)
        c.session.flush()
        view = self.view(c.session, row)
        return c.record(f"{self.noun}.add", f"{self.noun} {self.name(view)}", None, view)

    def edited(self, c: Change, row: R, before: V, act: str = "set") -> V:
        """Write what was changed in a row and note the difference to `before`."""
        c.session.flush()
        view = self.view(c.session, row)
        return c.record(f"{self.noun}.{act}", f"{self.noun} {self.name(view)}", before, view)

    def _edit(self, c: Change, row: R, act: str, **values: object) -> V:
        before = self.view(c.session, row)
        for name, value in values.items():
            setattr(row, name, value)
        return self.edited(c, row, before, act)


def as_uuid(text: str) -> str | None:
    """The canonical form of a UUID; None: the text is none."""
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None
