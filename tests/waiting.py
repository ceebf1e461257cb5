"""Waiting for what a test cannot be told of, and ports to wait on."""

import socket
import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], Any], what: str, timeout: float = 20.0) -> Any:
    """Waits until the condition is true and returns what it said; TimeoutError says `what` did not happen."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(0.02)
    return result


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 which nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
