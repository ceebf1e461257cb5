"""Files: secrets and database are nobody else's to read, run_dir nobody else's to write."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from smtpy.config import Settings
from smtpy.doctor.finding import Finding
from smtpy.doctor.reach import NOBODY, READ, WRITE


def examine(settings: Settings, secrets: Sequence[Path]) -> Iterator[Finding]:
    """Modes of files and folders."""
    secret = list(secrets)
    database = settings.database_url.removeprefix("sqlite:///")
    if database.startswith("/"):
        secret.append(Path(database))
    for path, look in (*((each, _secret) for each in secret), (settings.run_dir, _run_dir)):
        try:
            yield from look(path)
        except PermissionError:
            fix = "run `smtpy doctor` as one who may enter its folder"
            yield Finding("files", os.EX_NOPERM, f"{path} is closed to this user", fix)


def _secret(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    if NOBODY.stopped_at(path, READ) is None:
        yield Finding("files", os.EX_NOPERM, f"anybody can read {path}", f"chmod o-rwx {path}")
    else:
        yield Finding("files", os.EX_OK, f"{path} is closed to others")


def _run_dir(path: Path) -> Iterator[Finding]:
    if not path.is_dir():
        yield Finding("files", os.EX_CANTCREAT, f"run_dir {path} is not there", f"mkdir -p {path}")
    elif NOBODY.may(path, WRITE):
        yield Finding("files", os.EX_NOPERM, f"anybody can put sockets into {path}", f"chmod o-w {path}")
    else:
        yield Finding("files", os.EX_OK, f"run_dir {path} is ours to write")
