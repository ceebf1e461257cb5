"""What a process tells of itself: a small file in run_dir, written anew every few seconds, for `smtpy metrics` to read.

It is for what stands nowhere else: how its cache does, what waits for the journal, and what leaves no row there. The
mail path pays an addition for each; a thread writes the file, and puts it into place whole. It goes with its process;
what one that was killed leaves behind is soon too old to be believed. Behind the name of a value its labels may stand,
with blanks between.
"""

import contextlib
import json
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

EVERY_SECONDS = 5.0
OLD_SECONDS = 30.0
SUFFIX = ".pulse"

log = logging.getLogger("smtpy.pulse")


@dataclass(frozen=True, slots=True)
class Told:
    """What a process told last."""

    process: str
    pid: str
    values: Mapping[str, float]


class Numbers:
    """What is counted. For any number of threads. `names` are told from the first, so that one is an increase."""

    def __init__(self, *names: str) -> None:
        self._lock = Lock()
        self._counted: defaultdict[str, float] = defaultdict(float, dict.fromkeys(names, 0))

    def add(self, name: str, number: float = 1) -> None:
        """One more, or so many."""
        with self._lock:
            self._counted[name] += number

    def told(self) -> dict[str, float]:
        """All of it, for a Pulse."""
        with self._lock:
            return dict(self._counted)


class Pulse:
    """Tells what `tell` gives, as long as the context lasts; after a fork, never before one."""

    def __init__(self, folder: Path, process: str, tell: Callable[[], Mapping[str, float]]) -> None:
        self._folder, self._process = folder, process
        self._path = folder / f"{process}.{os.getpid()}{SUFFIX}"
        self._tell = tell
        self._ending = Event()
        self._thread = Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(1.0)  # a disk that hangs is not waited for
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _run(self) -> None:
        able = True
        while True:
            try:
                self._write()
                able = True
            except OSError as error:  # the disk is full, say: nobody sees the numbers, and mail goes on
                if able:
                    log.warning("file=%s not written why=%r", self._path, error.strerror)
                able = False
            if self._ending.wait(EVERY_SECONDS):
                return

    def _write(self) -> None:
        for path in self._folder.glob(f"{self._process}.*{SUFFIX}"):  # of those that were killed
            if _is_old(path):
                path.unlink(missing_ok=True)
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(dict(self._tell())), encoding="ascii")
        whole.replace(self._path)


def told(folder: Path) -> Iterator[Told]:
    """What the processes of this host told lately."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            values = None if _is_old(path) else json.loads(path.read_bytes())
        except OSError:  # it went this moment
            continue
        if values:
            process, pid, _ = path.name.split(".")
            yield Told(process, pid, values)


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > OLD_SECONDS
    except FileNotFoundError:
        return False
