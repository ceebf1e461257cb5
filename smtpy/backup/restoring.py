"""Reading a backup, and filling an empty database with it.

The file is read to its end once before anything is written. The database is brought to the schema that the backup is
of, filled in one transaction, and then upgraded to this version's.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from smtpy.backup.archive import BadArchive, Part, reading
from smtpy.backup.making import END, FORMAT, MANIFEST, ROWS, SECRET, SETTINGS
from smtpy.store import migrate
from smtpy.store.epoch import bump
from smtpy.store.transfer import Row, fill


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself; settings and secrets by key, `columns` by table."""

    made_at: datetime
    version: str
    revision: str
    columns: Mapping[str, Sequence[str]]
    settings: Mapping[str, object]
    secrets: Mapping[str, Sequence[str]]


def check(path: Path, identity: str) -> tuple[Backup, int]:
    """The backup, read to its end, and how many rows it has. Raises BadArchive, OSError."""
    with _opened(path, identity) as (backup, rows):
        count = sum(len(part) for _, part in rows)
    if not migrate.knows(backup.revision):
        raise BadArchive(f"it was made by SMTPy {backup.version}, which is newer than this one; install that")
    return backup, count


def fill_with(path: Path, identity: str, engine: Engine, revision: str) -> None:
    """Put the rows into that database, which nobody is in, and upgrade it. Raises BadArchive, OSError, Unfit.

    `revision` is the backup's, as `check` tells it.
    """
    migrate.bring(engine, revision)
    with engine.begin() as connection:
        with _opened(path, identity) as (backup, rows):
            fill(connection, backup.columns, rows)
        bump(connection)  # whoever runs already is not to go by what it remembers
    migrate.upgrade(engine)


@contextlib.contextmanager
def _opened(path: Path, identity: str) -> Iterator[tuple[Backup, Iterator[tuple[str, list[Row]]]]]:
    with reading(path, identity) as parts:
        manifest = _read(parts, MANIFEST)
        if manifest.get("format") != FORMAT:
            raise BadArchive("it is of a format that this version does not know; install the version that made it")
        settings, secrets = _read(parts, SETTINGS), _read(parts, SECRET)
        made = datetime.fromisoformat(manifest["made_at"])
        columns = manifest["columns"]
        yield Backup(made, manifest["smtpy"], manifest["revision"], columns, settings, secrets), _rows(parts)


def _read(parts: Iterator[Part], wanted: str) -> dict[str, Any]:
    name, octets = next(parts, ("", b""))
    if name != wanted:
        raise BadArchive(f"it is no backup of SMTPy: {wanted} is not where it belongs")
    found: dict[str, Any] = json.loads(octets)
    return found


def _rows(parts: Iterator[Part]) -> Iterator[tuple[str, list[Row]]]:
    """Those of all tables; what comes last has to say as many."""
    count = 0
    for name, octets in parts:
        if name == END:
            if json.loads(octets) != {"rows": count}:
                break
            return
        rows = [json.loads(line) for line in octets.splitlines()]
        count += len(rows)
        yield name.removeprefix(ROWS).partition("-")[2].removesuffix(".json"), rows
    raise BadArchive("it does not have as many rows as it should")
