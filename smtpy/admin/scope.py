"""Whose rows an act may see: an operator's everything, a member's only their own.

The viewer travels in the SQLAlchemy session (`change`, `reading`), so that no function can be called without, and every
`find` and `page` asks `owned`. What is somebody else's is not found, in the words for what does not exist.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute, Session

_KEY = "smtpy.viewer"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A member who looks for themselves."""

    user_id: int


def look_as(session: Session, viewer: Viewer | None) -> Session:
    """Have the session see what this viewer may; None: an operator, who may see everything."""
    session.info[_KEY] = viewer
    return session


def viewer_of(session: Session) -> Viewer | None:
    """Who looks through this session."""
    found: Viewer | None = session.info.get(_KEY)
    return found


def owned(
    session: Session, owner: "InstrumentedAttribute[int] | InstrumentedAttribute[int | None]"
) -> ColumnElement[bool]:
    """The condition that a row is the viewer's; `owner` is the column with its owner's id."""
    viewer = viewer_of(session)
    return true() if viewer is None else owner == viewer.user_id


@contextmanager
def as_operator(session: Session) -> Iterator[Session]:
    """Within the block the session sees everything: for what must hold between members, such as a name being taken."""
    before: Any = viewer_of(session)
    look_as(session, None)
    try:
        yield session
    finally:
        look_as(session, before)
