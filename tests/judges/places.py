"""Where forwarded mail goes: hosts that run `keeper` or `passing`, and what they have seen."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.inbox import Delivery
from tests.judges.internet import Host
from tests.judges.names import Names
from tests.waiting import until


def _start(module: str, host: Host, domain: str, names: Names, *arguments: str) -> Path:
    """Run that module on port 25 of the host, as the mail server of the domain; its folder."""
    folder = host.folder / "mail"
    folder.mkdir()
    names.host(host, f"mx.{domain}")
    names.publish(f"{domain}. MX 10 mx.{domain}.")
    host.start(sys.executable, "-m", f"tests.judges.{module}", host.address, str(folder), *arguments)
    host.wait_listening(25)
    return folder


def _seen(folder: Path) -> list[tuple[Path, Any]]:
    return [(each, json.loads(each.read_text())) for each in sorted(folder.glob("*.json"))]


class Kept:
    """A domain whose mail is all accepted and kept."""

    def __init__(self, host: Host, domain: str, names: Names, *without: str) -> None:
        """`without` are extensions of SMTP that it does not offer."""
        self._folder = _start("keeper", host, domain, names, *without)

    def all(self) -> list[Delivery]:
        """Every message so far."""
        return [
            Delivery(how["reverse_path"] or "", tuple(how["recipients"]), path.with_suffix(".eml").read_bytes())
            for path, how in _seen(self._folder)
        ]

    def wait_for(self, mark: str, number: int = 1) -> list[Delivery]:
        """That many messages with that text in them."""

        def marked() -> list[Delivery]:
            return [each for each in self.all() if mark.encode() in each.data]

        until(lambda: len(marked()) >= number, f"{number} messages with {mark}")
        return marked()


@dataclass(frozen=True, slots=True)
class Passed:
    """What the next host said to a message which was changed on the way."""

    code: int
    text: str


class Way:
    """A domain whose mail is changed and passed on."""

    def __init__(self, host: Host, domain: str, names: Names, server: str, key: bytes) -> None:
        private = host.folder / "key.pem"
        private.write_bytes(key)
        self._folder = _start("passing", host, domain, names, server, str(private))

    def passed(self, change: str) -> Passed:
        """The answer to the message that was to be changed so; waits for it."""

        def answers() -> list[Passed]:
            return [
                Passed(how["code"], how["text"])
                for _, how in _seen(self._folder)
                if how["recipient"].startswith(f"{change}@")
            ]

        return until(answers, f"a message passed on with {change}")[0]
