"""Files with settings and secrets: written whole or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, text: str, mode: int) -> None:
    """Written aside, then named. Raises OSError; what was there stays then.

    Owner and mode of a file that is replaced stay. A new one of root's is for whoever owns the folder: an upgrade by
    root must not close it to those who run the services.
    """
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    before = path.stat() if path.exists() else None
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
            os.fchmod(file.fileno(), before.st_mode & 0o777 if before else mode)
            if os.geteuid() == 0:
                like = before or path.parent.stat()
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fsync(file.fileno())
        aside.rename(path)
    except OSError:
        aside.unlink(missing_ok=True)  # a copy of a secret that nobody would think of
        raise
