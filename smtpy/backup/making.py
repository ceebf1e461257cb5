"""Making a backup: a manifest, the settings as they were given, the secrets, all rows; last, how many there were.

What is needed to come back on an empty machine is in it, and nothing else: sockets and logs are made anew, and mail
under way is in Postfix's queue, which no copy of may be delivered a second time.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from smtpy.backup.archive import writing
from smtpy.config import SECRETS, Settings
from smtpy.store.transfer import reading

FORMAT = 1
MANIFEST, SETTINGS, SECRET, ROWS, END = "manifest.json", "settings.json", "secrets.json", "rows/", "end.json"


@dataclass(frozen=True, slots=True)
class Made:
    """What became of it."""

    path: Path
    rows: int
    octets: int


def make(path: Path, engine: Engine, settings: Settings, now: datetime) -> Made:
    """Write a backup of that database and of these settings, for the keys they name. Raises OSError, Unfit."""
    rows = 0
    with reading(engine) as whole, writing(path, settings.backup_recipients) as add:
        manifest = {"format": FORMAT, "made_at": now.isoformat(), "smtpy": version("smtpy")}
        add(MANIFEST, _json(manifest | {"revision": whole.revision, "columns": whole.columns}))
        add(SETTINGS, _json(_given(settings)))
        add(SECRET, _json({key: [each.get_secret_value() for each in getattr(settings, key)] for key in SECRETS}))
        for number, (table, part) in enumerate(whole.parts, 1):
            add(f"{ROWS}{number:06}-{table}.json", b"\n".join(map(_json, part)))
            rows += len(part)
        add(END, _json({"rows": rows}))
    return Made(path, rows, path.stat().st_size)


def _given(settings: Settings) -> dict[str, Any]:
    """What is no default. The URL of a database server has a password in it; the next machine says its own."""
    given: dict[str, Any] = settings.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={*SECRETS})
    if not settings.database_url.startswith("sqlite:"):
        for key in ("database_url", "standby_url"):
            given.pop(key, None)
    return given


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
