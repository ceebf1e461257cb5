"""The lines of a log that grows, is renamed or cut off: each once, in order, from a place that outlives the process.

A place is the file itself (device and inode), the offset of the next line, and the octets before it. What stands there
tells whether the file was cut off and has grown again (logrotate's copytruncate), and finds the copy. Whatever was
written to a file after its rename is read before its successor; compressed ones are let be.
"""

import glob
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from smtpy.maillog.lines import Lines
from smtpy.store.happenings import Position

CHUNK = 256 * 1024  # octets of one reading
GRACE_SECONDS = 1.0  # in which a renamed file may still be written to
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst", ".lz4", ".tmp")


class Tail:
    """Read `path` from a place on; None: from its beginning."""

    def __init__(self, path: Path, place: Position | None) -> None:
        self._path = path
        self._waiting: deque[tuple[Path, int]] = deque(self._line_up(place))
        self._file: _File | None = None
        self._renamed_at: float | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
            self._file = None

    def read(self) -> tuple[list[tuple[int, bytes]], Position] | None:
        """The next lines, each with its place, and the position behind them; None: there is nothing new for now.

        Raises OSError, FileNotFoundError when there is no log.
        """
        while True:
            if self._file is None:
                self._file = self._open()
            if not self._file.is_whole():  # cut off, and written anew
                self._start_over()
                continue
            if found := self._file.read():
                self._renamed_at = None
                return found
            if not self._is_over(self._file):
                return None
            self._start_over()

    def _open(self) -> "_File":
        if not self._waiting:
            self._waiting.append((self._path, 0))
        path, offset = self._waiting[0]
        file = _File(path, offset)
        self._waiting.popleft()
        return file

    def _is_over(self, file: "_File") -> bool:
        """Whether nothing more is to come from this file: another stands in its place, and is written to."""
        if self._waiting:
            return _is_begun(self._waiting[0][0]) and file.quiet_seconds > GRACE_SECONDS
        if not _is_begun(self._path) or _name(self._path) == file.name:
            self._renamed_at = None
            return False
        self._renamed_at = self._renamed_at or time.monotonic()
        return time.monotonic() - self._renamed_at > GRACE_SECONDS

    def _start_over(self) -> None:
        """Go on with what comes after the file that is open."""
        if self._file is None:
            return
        place = self._file.place
        self.close()
        self._renamed_at = None
        if not self._waiting:
            self._waiting.extend(self._line_up(place))

    def _line_up(self, place: Position | None) -> Iterator[tuple[Path, int]]:
        """The files to be read from that place on, oldest first, and where to begin in each."""
        files = [*self._predecessors(), self._path]
        found = next((each for each in files if place and _holds(each, place, place.file)), None)
        found = found or next((each for each in files[:-1] if place and place.before and _holds(each, place)), None)
        if place is None or found is None:
            yield self._path, 0
            return
        yield found, place.offset
        for later in files[files.index(found) + 1 :]:
            yield later, 0

    def _predecessors(self) -> list[Path]:
        """Files that were this one, oldest first: mail.log.2, mail.log.1, mail.log-20261126 ..."""
        found: list[tuple[float, Path]] = []
        for each in self._path.parent.glob(f"{glob.escape(self._path.name)}[.-]*"):
            with suppress(OSError):
                if _is_begun(each) and each.suffix not in _COMPRESSED:
                    found.append((each.stat().st_mtime, each))
        return [path for _, path in sorted(found)]


class _File:
    """An open log. `place` is behind the last whole line."""

    def __init__(self, path: Path, offset: int) -> None:
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.name = _name_of(os.fstat(self._handle))
        self._lines = Lines(offset, os.pread(self._handle, min(offset, Lines.KEPT), max(0, offset - Lines.KEPT)))
        self._next = offset

    def close(self) -> None:
        os.close(self._handle)

    @property
    def place(self) -> Position:
        return Position(self.name, self._lines.offset, self._lines.before)

    def is_whole(self) -> bool:
        """Whether it is still the file that was read: as long, and the same before the place."""
        return os.fstat(self._handle).st_size >= self._next and _stands(self._handle, self.place)

    @property
    def quiet_seconds(self) -> float:
        """For how long nothing was written to it."""
        return time.time() - os.fstat(self._handle).st_mtime

    def read(self) -> tuple[list[tuple[int, bytes]], Position] | None:
        octets = os.pread(self._handle, CHUNK, self._next)
        if not octets:
            return None
        self._next += len(octets)
        return list(self._lines.feed(octets)), self.place


def _name_of(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}"


def _name(path: Path) -> str | None:
    """Which file lies there; None: none."""
    try:
        return _name_of(path.stat())
    except OSError:
        return None


def _is_begun(path: Path) -> bool:
    """Whether it is a file with something in it."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def _holds(path: Path, place: Position, name: str | None = None) -> bool:
    """Whether a file, of that name if one is given, is the one of the place, or a copy of it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return name in (None, _name_of(os.fstat(handle))) and _stands(handle, place)
    finally:
        os.close(handle)


def _stands(handle: int, place: Position) -> bool:
    before = os.pread(handle, len(place.before), place.offset - len(place.before))
    return before == place.before and os.fstat(handle).st_size >= place.offset
