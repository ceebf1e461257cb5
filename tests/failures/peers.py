"""Somebody else in the place of lookup or policy, who does all that a server can do wrong.

A peer answers each request with the bytes it was given, or holds its tongue. What it is asked is not checked.
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Answerer = Callable[[bytes], bytes]  # request to answer; nothing: hang up


def netstring(data: bytes) -> bytes:
    return b"%d:%s," % (len(data), data)


@contextmanager
def listening(path: Path, answerer: Answerer) -> Iterator[None]:
    """A peer on that UNIX socket for the time of the block."""
    connections: set[socket.socket] = set()

    class Conversation(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connections.add(self.request)
            with suppress(ConnectionError):
                # Postfix sends one request and waits; ours are shorter than what one recv() takes.
                while (request := self.request.recv(65_536)) and (answer := answerer(request)):
                    self.request.sendall(answer)

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(str(path), Conversation) as server:
        path.chmod(0o666)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            for each in connections:  # Postfix keeps them open; the next peer must not share it with this one
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            path.unlink()
