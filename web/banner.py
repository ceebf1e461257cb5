"""What administrators tell everybody, above each page until it is put away (smtpy.admin.announcements).

What is going is kept in memory for a moment, so that pages ask the database for it only while there is something.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, current_app

from smtpy.admin import announcements
from smtpy.admin.announcements import AnnouncementView
from web import door, sessions

KEPT = timedelta(seconds=15)  # after which another process's announcement is seen
_NAME = "smtpy.banner"


@dataclass(frozen=True, slots=True)
class Going:
    """What is not over, as it was at a time."""

    at: datetime
    there: tuple[AnnouncementView, ...]


def init_app(app: Flask) -> None:
    """For base.html."""
    app.jinja_env.globals.update(announcements=unread)


def forget() -> None:
    """Something has changed: ask at once."""
    current_app.extensions.pop(_NAME, None)


def unread() -> tuple[AnnouncementView, ...]:
    """What is to be shown to whoever is signed in."""
    member = sessions.visit().member
    if member is None or sessions.current().outage:
        return ()
    now = door.now()
    kept: Going | None = current_app.extensions.get(_NAME)
    if kept is None or now - kept.at > KEPT:
        with door.operating() as session:
            kept = Going(now, announcements.going(session, now))
        current_app.extensions[_NAME] = kept
    if not kept.there:
        return ()
    with door.operating() as session:
        return announcements.unread(session, member.id, kept.there, now)
