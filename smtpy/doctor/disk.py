"""Room on the file systems that mail and its records need, in octets and in files."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from smtpy.config import Settings
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.hostname import main_cf

LOW_SHARE, LOW_OCTETS = 0.10, 5 << 30  # both: a tenth of a large disk is plenty
LOW_FILES = 0.05
FIX = "make room, or give it a larger file system"


def examine(settings: Settings, folder: Path | None) -> Iterator[Finding]:
    """Each file system once, by the first of our folders on it."""
    said = main_cf(folder)
    seen: set[int] = set()
    for path in filter(None, (_queue(said), settings.state_dir, settings.backup_dir, _log(settings))):
        try:
            device, room = path.stat().st_dev, os.statvfs(path)
        except OSError:  # not there, or closed to this user: others say so
            continue
        if device not in seen:
            seen.add(device)
            yield _judged(path, room, needed(settings, said) if path == _queue(said) else 0)
    if not seen:
        yield Finding("disk", os.EX_OK, "not known: none of the folders is there")


def needed(settings: Settings, said: Mapping[str, str]) -> float:
    """Octets without which smtpd says 452 to each MAIL FROM (postconf(5), queue_minfree)."""
    minimum = said.get("queue_minfree", "0")
    return max(int(minimum) if minimum.isdigit() else 0, 1.5 * settings.message_size_limit)


def _queue(said: Mapping[str, str]) -> Path | None:
    return Path(said["queue_directory"]) if "queue_directory" in said else None


def _log(settings: Settings) -> Path | None:
    return settings.postfix_log and settings.postfix_log.parent


def _judged(path: Path, room: os.statvfs_result, least: float) -> Finding:
    free, share = room.f_bavail * room.f_frsize, room.f_bavail / max(room.f_blocks, 1)
    gigabytes, percent = f"{free / 1e9:.1f}", f"{share:.0%}"
    left = f"{path}: {gigabytes} GB left, {percent}"
    if free < least:
        words = f"{left}, too little for Postfix: it takes no mail until there is more"
        return Finding("disk", os.EX_CANTCREAT, words, FIX)
    if share < LOW_SHARE and free < LOW_OCTETS:
        return Finding("disk", WARNING, f"{left} of its file system", FIX)
    if room.f_files and room.f_favail / room.f_files < LOW_FILES:
        files = room.f_favail
        words = f"{path}: room for {files} more files, and each message in the queue is one"
        return Finding("disk", WARNING, words, FIX)
    return Finding("disk", os.EX_OK, left)
