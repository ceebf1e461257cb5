r"""SMTP dialogs as plain text: what the client says, what the server must answer, what must arrive.

    # A heading, which names the test
    client 127.0.0.1                          (else 127.0.0.2: outside mynetworks)
    C: RCPT TO:<nobody@north.example>         a line of the client; several in a row are sent at once
    S: 550 5.1.1                              the answer begins so, in whole words
    -> ann@home.example <SRS0=*@*>            one copy: recipient and reverse-path, `*` for anything; in any order

Greeting and EHLO come before. Without `->` lines nothing may arrive. Of every dialog it is also asked that no answer
and no header that arrived shows a mailbox. Within client lines and reverse-paths:

    {message}            header and body with a mark, and the final dot
    {message 2000}       the same, of that many octets
    {srs:a@b.example}    the local part of the return address that leads to a@b.example; MADE names the bad ones
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from smtpy.srs import Srs
from tests.mailpath.town import SECRET, Town, assert_nothing_shows, copies

FOLDER = Path(__file__).parent / "dialogs"
OUTSIDE = "127.0.0.2"
FOREIGN = Srs((b"somebody else's secret",))


@dataclass(frozen=True, slots=True)
class Script:
    """One dialog: `lines` are C: and S: in order, `arrives` the -> lines."""

    title: str
    client: str
    lines: tuple[tuple[str, str], ...]
    arrives: tuple[str, ...]


def _short(local: str) -> str:
    """A return address whose hash is cut to one character, as a guesser would write it."""
    return re.sub(r"^(SRS0=.)[^=]*", r"\1", local)


def _other_sender(local: str) -> str:
    return local.rpartition("=")[0] + "=victim"


# How a return address can be made: (whose secret, days from today, what is done to it afterwards)
Making = tuple[Callable[[Town], Srs], int, Callable[[str], str]]
MADE: dict[str, Making] = {
    "srs": (lambda town: town.srs, 0, str),
    "lower srs": (lambda town: town.srs, 0, str.lower),
    "oldest srs": (lambda town: town.srs, -21, str),
    "expired srs": (lambda town: town.srs, -22, str),
    "future srs": (lambda town: town.srs, 2, str),
    "foreign srs": (lambda _town: FOREIGN, 0, str),
    "forged srs": (lambda town: town.srs, 0, _other_sender),
    "guessed srs": (lambda town: replace(town.srs, hash_length=20), 0, _short),
}


def scripts() -> list[Script]:
    """Every dialog of every file."""
    return [
        _read(block)
        for path in sorted(FOLDER.glob("*.txt"))
        for block in re.split(r"(?m)^(?=# )", path.read_text("utf-8"))[1:]
    ]


def _read(block: str) -> Script:
    title, *rest = block.strip().splitlines()
    client, lines, arrives = OUTSIDE, [], []
    for line in rest:
        word, _, text = line.partition(" ")
        match word:
            case "C:" | "S:":
                lines.append((word, text))
            case "->":
                arrives.append(text)
            case "client":
                client = text
            case _ if line.strip():
                raise ValueError(f"{title}: what is {line!r}?")
    return Script(title.removeprefix("# "), client, tuple(lines), tuple(arrives))


def play(script: Script, town: Town) -> None:
    """Hold the dialog, look at what arrives."""
    mark = town.mark()
    with town.stand.dialog(client=script.client) as dialog:
        dialog.hello()
        for who, text in script.lines:
            if who == "C:":
                dialog.raw(_fill(text, town, mark).encode() + b"\r\n")
                continue
            answer = dialog.answer()
            assert f"{answer} ".startswith(f"{text} "), f"{text} was expected, {answer} came"
            assert SECRET not in answer.text
    came = town.arrivals(mark, len(script.arrives))
    assert_nothing_shows(came)
    expected = sorted(_fill(each, town, mark) for each in script.arrives)
    actual = [f"{recipient} <{path}>" for recipient, path in copies(came)]
    assert len(actual) == len(expected), actual
    assert all(map(fnmatchcase, actual, expected)), actual


def _fill(text: str, town: Town, mark: str) -> str:
    text = re.sub(r"\{message(?: (\d+))?\}", lambda wanted: message(mark, int(wanted[1] or 0)) + ".", text)
    return re.sub(r"\{([a-z ]*srs):([^@]+)@([^}]+)\}", lambda wanted: _return_address(town, *wanted.groups()), text)


def _return_address(town: Town, made: str, local: str, domain: str) -> str:
    whose, days, afterwards = MADE[made]
    return afterwards(whose(town).forward(local, domain, town.today() + days))


def message(mark: str, octets: int = 0) -> str:
    """A message that can be known again, CRLF at the end; of so many octets if that is more."""
    head = f"Message-ID: <{mark}@sender.example>\r\nSubject: hello\r\n\r\n"
    missing = octets - len(head) - 2
    body = "hello" if missing < 5 else "\r\n".join(["x" * 70] * (missing // 72) + ["x" * (missing % 72)])
    return f"{head}{body}\r\n"
