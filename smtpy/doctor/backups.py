"""What `smtpy doctor` says of backups, where this host is to make them."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from smtpy.backup.keeping import found_in
from smtpy.config import Settings
from smtpy.doctor.finding import WARNING, Finding

LATE = 2  # times backup_hours: one that is being made, or that a restart put off, is none to wake anybody for


def examine(settings: Settings) -> Iterator[Finding]:
    """How old the newest is, by its name."""
    folder = settings.backup_dir
    if not folder:
        yield Finding("backups", os.EX_OK, "this host makes none: backup_dir is not set")
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        yield Finding("backups", WARNING, f"{folder} is not there, or closed to this user", "correct backup_dir")
        return
    now = datetime.now(UTC)
    newest = max((each for each in found_in(folder) if each <= now), default=None)
    if newest and now - newest < LATE * timedelta(hours=settings.backup_hours):
        yield Finding("backups", os.EX_OK, f"the newest is of {newest:%Y-%m-%d %H:%M}")
        return
    words = f"the newest is of {newest:%Y-%m-%d %H:%M}" if newest else f"there is none in {folder}"
    yield Finding("backups", WARNING, words, "start `smtpy worker` on this host, and see its log")
