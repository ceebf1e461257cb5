"""The demonstration: declare an alias, send one real message through it, show what arrived and why. Then wait."""

import itertools
import os
import shutil
import signal
import smtplib
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path
from typing import TypeVar

FOLDER = Path(os.environ["DEMO_DIR"])
SMTPY = Path(sys.executable).parent / "smtpy"
FRONT = ("127.0.0.1", int(os.environ["DEMO_FRONT"]))
WEB = os.environ["DEMO_WEB"]
USER = MAILBOX = "you@inbox.example"
DOMAIN = "demo.example"
ALIAS = f"hello@{DOMAIN}"
SENDER = "friend@elsewhere.example"
DECLARED = (
    ("user", "add", USER),
    ("domain", "add", DOMAIN, "--owner", USER),
    ("mailbox", "add", MAILBOX, "--owner", USER),
    ("alias", "add", ALIAS, "--to", MAILBOX),
    ("key", "use", DOMAIN, "--now"),  # as if DNS had shown it
)
GUTTER = 3
NARROW = 130  # columns; below, one under the other
PREFIX = 20  # columns which honcho puts before each line

T = TypeVar("T")


def main() -> None:
    """Once, then wait to be stopped: honcho ends everything when one process ends."""
    if smtpy("alias", "show", ALIAS).returncode:
        for command in DECLARED:
            declare(*command)
    publish()
    message_id = make_msgid(domain="elsewhere.example")
    answer = wait_for(lambda: send(message_id), "an answer for good")
    if answer[0] != "2":  # as it should be, once somebody has switched the alias off
        print(f"Refused: {answer}")
    else:
        arrived = wait_for(lambda: find(message_id), "the message in the inbox")
        trace = wait_for(lambda: smtpy("log", message_id).stdout.strip(), "the journal's row")
        print(show(arrived, trace))
    wait_for(web_is_ready, "the web pages")
    print(
        f"SMTP is at 127.0.0.1:{FRONT[1]}. Arrivals are kept in {FOLDER}/inbox, Postfix's log is"
        f" {FOLDER}/postfix/log/mail.log. What lies in {FOLDER}/zones/*.zone is in DNS. Ctrl-C stops everything."
    )
    first = smtpy("user", "first")  # refused once there is an administrator
    way_in = f"{first.stdout.strip()}\n    (once; as {USER} you own {ALIAS})" if not first.returncode else WEB
    print(f"\n    The web pages: {way_in}\n")
    signal.pause()


def smtpy(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line tool."""
    return subprocess.run([SMTPY, *arguments], capture_output=True, text=True, check=False)


def declare(*command: str) -> None:
    """One administrative act; that somebody has done it already is well."""
    done = smtpy(*command)
    if done.returncode not in {0, os.EX_CANTCREAT}:
        sys.exit(f"smtpy {' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


def publish() -> None:
    """What the owner of the domain would put into DNS."""
    zone = FOLDER / "zones" / f"{DOMAIN}.zone"
    zone.write_text(smtpy("domain", "dns", DOMAIN, "--format", "zone").stdout, encoding="utf-8")
    smtpy("domain", "check", DOMAIN)  # the worker may have looked a moment too early, and would wait for an hour


def web_is_ready() -> bool:
    """Whether the web process serves pages."""
    try:
        with urllib.request.urlopen(f"{WEB}/livez", timeout=5) as answer:  # noqa: S310 - our own http:
            return bool(answer.status == 200)
    except OSError:
        return False


def send(message_id: str) -> str | None:
    """Through the alias, as any server of the world would; the answer, or None if it is "try again"."""
    lines = (
        f"From: A friend <{SENDER}>",
        f"To: {ALIAS}",
        "Subject: Hello through an alias",
        f"Date: {formatdate()}",
        f"Message-ID: {message_id}",
        "",
        f"This was sent to {ALIAS}.",
        f"Nobody outside sees that it is read at {MAILBOX}.",
        "",
    )
    try:
        with smtplib.SMTP(*FRONT, timeout=10) as smtp:
            smtp.ehlo()
            for step in (partial(smtp.mail, SENDER), partial(smtp.rcpt, ALIAS), partial(smtp.data, "\r\n".join(lines))):
                code, text = step()
                if code >= 400:
                    break
    except OSError:  # not yet there, and a server which hangs up is smtplib's OSError too
        return None
    return None if 400 <= code < 500 else f"{code} {text.decode()}"


def find(message_id: str) -> str | None:
    """The kept file with that Message-ID."""
    for each in sorted((FOLDER / "inbox").glob("*.smtp"), reverse=True):
        text = each.read_bytes().decode(errors="replace")
        if message_id in text:
            return text
    return None


def wait_for(found: Callable[[], T | None], what: str, timeout: float = 30.0) -> T:
    """What `found` finds at last."""
    deadline = time.monotonic() + timeout
    while not (result := found()):
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come within {timeout:.0f} s; see {FOLDER}/postfix/log/mail.log")
        time.sleep(0.1)
    return result


def show(arrived: str, trace: str) -> str:
    """Side by side where there is room for it."""
    columns = shutil.get_terminal_size().columns - PREFIX
    left, right = ("As it arrived", *arrived.splitlines()), ("Decided, and why", *trace.splitlines())
    if columns < NARROW - PREFIX:
        return "\n".join(["", *left, "", *right, ""])
    width = (columns - GUTTER) // 2
    rows = itertools.zip_longest(wrapped(left, width), wrapped(right, width), fillvalue="")
    return "\n".join(["", *(f"{one:<{width}} | {other}".rstrip() for one, other in rows), ""])


def wrapped(lines: tuple[str, ...], width: int) -> list[str]:
    """Lines no longer than that, an underlined title first."""
    title, *rest = lines
    body = [part for line in rest for part in textwrap.wrap(line, width, subsequent_indent="  ") or [""]]
    return [title, "-" * len(title), *body]


if __name__ == "__main__":
    main()
