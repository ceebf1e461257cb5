"""A ZIP of JSON files, made while it is sent: what is in it never lies in memory as a whole."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from smtpy.admin.own_data import Part

CHUNK = 64 * 1024  # octets


class _Tray(io.RawIOBase):
    """What was written and is not sent yet. It cannot go back, which zipfile understands."""

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.held.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """All of it; it is empty afterwards."""
        held, self.held = b"".join(self.held), []
        return held


def zipped(opened: AbstractContextManager[Session], parts: Callable[[Session], Iterator[Part]]) -> Iterator[bytes]:
    """The octets of the archive; `parts` of the session that `opened` opens: a file each."""
    tray = _Tray()
    with opened as session, zipfile.ZipFile(tray, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in parts(session):
            with archive.open(f"{name}.json", "w") as file:
                for text in _lines(rows):
                    file.write(text)
                    if sum(map(len, tray.held)) > CHUNK:
                        yield tray.take()
    yield tray.take()


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield b"["
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n").encode() + json.dumps(row, ensure_ascii=False, default=_plain).encode()
    yield b"\n]\n"


def _plain(value: object) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
