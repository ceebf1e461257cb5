"""A service of `smtpy.serving` on a UNIX socket, in a thread of this process: what it leaves behind is counted."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smtpy.net import Endpoint
from smtpy.serving import Service
from tests.waiting import until


@dataclass
class Served:
    """A service that is up; `loop` is its event loop."""

    path: Path
    service: Service[Any]
    loop: asyncio.AbstractEventLoop

    @contextlib.contextmanager
    def client(self, timeout: float = 5.0) -> Iterator[socket.socket]:
        """A connection to it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(self.path))
            yield connection

    def says(self, *pieces: bytes, half_close: bool = True) -> bytes:
        """All that it answers to these bytes on a connection of their own, until it hangs up."""
        with self.client() as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.sendall(piece)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            return received(connection)

    def tasks(self) -> int:
        """How many tasks its loop has."""

        async def count() -> int:
            return len(asyncio.all_tasks())

        return asyncio.run_coroutine_threadsafe(count(), self.loop).result(5)


def received(connection: socket.socket) -> bytes:
    """What comes until the other side hangs up."""
    chunks = []
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            chunks.append(chunk)
    return b"".join(chunks)


def whole(connection: socket.socket, end: bytes) -> bytes:
    """What comes until these bytes, at least once more."""
    data = b""
    while not data.endswith(end):
        chunk = connection.recv(65_536)
        assert chunk, f"hung up after {data!r}"
        data += chunk
    return data


def handles() -> tuple[int, int]:
    """How many threads and descriptors this process has."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a name may be gone again


@contextlib.contextmanager
def served(service: Service[Any], folder: Path) -> Iterator[Served]:
    """The service while the context lasts; at its end nothing of it is left: no thread, task, descriptor or file."""
    before = handles()
    path = folder / "socket"
    up: list[asyncio.AbstractEventLoop] = []
    stop = threading.Event()

    async def serve() -> None:
        told = asyncio.Event()
        async with service.listening([Endpoint(path=str(path))]):
            loop = asyncio.get_running_loop()
            up.append(loop)
            waiter = threading.Thread(target=lambda: (stop.wait(), loop.call_soon_threadsafe(told.set)))
            waiter.start()
            await told.wait()
            waiter.join()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        until(lambda: up or not thread.is_alive(), "service up")
        yield Served(path, service, up[0])
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert not path.exists()
    until(lambda: handles() == before, f"handles as before: {before}, not {handles()}", 5.0)
