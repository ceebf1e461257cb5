"""The file: named parts in a row, a gzipped tar sealed by age, written and read as a stream.

Nothing unsealed touches a disk. age seals in chunks and notices a change in any of them, and a file that was cut off;
so what has been read counts when the block of `reading` has ended without an error, and not before.
"""

import contextlib
import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Thread

import pyrage
from pyrage import x25519

Add = Callable[[str, bytes], None]
Part = tuple[str, bytes]

_NOT_WHOLE = "it is damaged, or was cut off"
_UNREADABLE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


class BadArchive(Exception):
    """The file cannot be read; the text says why."""


@contextlib.contextmanager
def writing(path: Path, recipients: Sequence[str]) -> Iterator[Add]:
    """A new file for whoever holds one of these keys (`age1...`), in its place when the block has ended well.

    Raises OSError.
    """
    keys = [x25519.Recipient.from_str(each) for each in recipients]
    aside = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            source, sink = _pipe()
            sealing = _Beside(lambda: pyrage.encrypt_io(source, file, keys), source)
            with sealing, sink, tarfile.open(fileobj=sink, mode="w|gz") as tar:
                yield lambda name, octets: _add(tar, name, octets)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def reading(path: Path, identity: str) -> Iterator[Iterator[Part]]:
    """The parts of a file, in order, opened by that key (`AGE-SECRET-KEY-...`). Raises BadArchive, OSError."""
    key = x25519.Identity.from_str(identity)
    with path.open("rb") as file:
        source, sink = _pipe()
        try:
            with _Beside(lambda: pyrage.decrypt_io(file, sink, [key]), sink), source:
                with tarfile.open(fileobj=source, mode="r|gz") as tar:
                    yield _parts(tar)
                while source.read(io.DEFAULT_BUFFER_SIZE):  # the end is to be seen, and found whole
                    pass
        except pyrage.DecryptError as error:
            known = "No matching keys" in str(error)
            raise BadArchive("it is sealed for another key" if known else _NOT_WHOLE) from error
        except _UNREADABLE as error:
            raise BadArchive(_NOT_WHOLE) from error
        except OSError as error:
            if error.errno is None:  # of pyrage, for a chunk that is not as it was sealed
                raise BadArchive(_NOT_WHOLE) from error
            raise


def _pipe() -> tuple[io.BufferedReader, io.BufferedWriter]:
    source, sink = os.pipe()
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


class _Beside:
    """Work in a thread while the block lasts, at whose end it is waited for; its error counts before the block's.

    `end` is the work's own end of the pipe: closing it tells the other one that there is no more.
    """

    def __init__(self, work: Callable[[], None], end: io.BufferedIOBase) -> None:
        self._work, self._end = work, end
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="sealing", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._thread.join()
        if self._error and (error is None or isinstance(error, (BrokenPipeError, *_UNREADABLE))):
            raise self._error

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - raised where the block ends
            self._error = error
        finally:
            with contextlib.suppress(BrokenPipeError):  # nobody reads on
                self._end.close()


def _add(tar: tarfile.TarFile, name: str, octets: bytes) -> None:
    part = tarfile.TarInfo(name)
    part.size, part.mode = len(octets), 0o600
    tar.addfile(part, io.BytesIO(octets))


def _parts(tar: tarfile.TarFile) -> Iterator[Part]:
    for part in tar:
        if file := tar.extractfile(part):
            yield part.name, file.read()
