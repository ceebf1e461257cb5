"""Small disks that can be filled: each a tmpfs, so it takes root; without it a test is skipped."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import until


@contextmanager
def mounted(folder: Path, megabytes: int, *more: str) -> Iterator[Path]:
    """A disk of that size, there; `more`: options of mount(8)."""
    options = ",".join((f"size={megabytes}m", "mode=755", *more))
    words = ["mount", "-t", "tmpfs", "-o", options, "smtpy-tests", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a full disk takes a tmpfs, and this user may not mount one: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        # Postfix's daemons end by themselves, a moment after their master.
        until(
            lambda: not subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode, "let go"
        )


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of that size, somewhere."""
    folder = Path(tempfile.mkdtemp(prefix="smtpy-disk-"))
    try:
        with mounted(folder, megabytes):
            yield folder
    finally:
        folder.rmdir()


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Nothing can be written."""
    ballast = disk / "ballast"
    try:
        done = subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=4k"], capture_output=True, check=False)
        assert done.returncode, "the disk never got full"
        yield
    finally:
        ballast.unlink()
