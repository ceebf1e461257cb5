"""Asking the queue helper from a process that is not root. Blocks for as long as the helper may take, and no longer."""

import socket
from dataclasses import dataclass

from smtpy.net import Endpoint
from smtpy.queue.protocol import Answer, Lines, Request, read_answer, write_request
from smtpy.wire import Violation

SECONDS = 25.0  # the helper ends each of two commands after ten
MAX_ANSWER = 16 * 1024 * 1024  # octets: 500 messages of 20 recipients with their reasons


class NoHelper(Exception):
    """Nobody answers; the message names the fix and is safe to show."""


@dataclass(frozen=True, slots=True)
class Helper:
    """The helper that listens there."""

    endpoint: Endpoint
    seconds: float = SECONDS

    def ask(self, request: Request) -> Answer:
        """What it answers. Raises NoHelper."""
        try:
            return self._asked(request)
        except PermissionError:
            words = f"this user may not ask the queue helper on {self.endpoint}; put it into the group of queue_group"
        except TimeoutError:
            words = f"the queue helper on {self.endpoint} does not answer in time; see the log of `smtpy queue serve`"
        except (OSError, Violation) as error:
            reason = getattr(error, "strerror", None) or str(error)
            words = f"no queue helper answers on {self.endpoint} ({reason}); start `smtpy queue serve` as root"
        raise NoHelper(words)

    def _asked(self, request: Request) -> Answer:
        reader = Lines(MAX_ANSWER)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self.seconds)
            connection.connect(str(self.endpoint.path))
            connection.sendall(write_request(request))
            while (line := reader.next()) is None:
                chunk = connection.recv(65_536)
                if not chunk:
                    raise Violation("it hung up")
                reader.feed(chunk)
        return read_answer(line)
