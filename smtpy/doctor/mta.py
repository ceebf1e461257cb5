"""Postfix: whether its configuration says what it must, and whether it reaches our sockets."""

import os
from collections.abc import Iterator
from pathlib import Path

from smtpy.config import Settings
from smtpy.doctor.finding import Finding
from smtpy.doctor.postfix import NoPostfix, Postfix
from smtpy.doctor.reach import READ, WRITE, Person


def examine(settings: Settings, folder: Path | None) -> Iterator[Finding]:
    """main.cf and master.cf against what is needed, then the way to each socket."""
    met = True
    try:
        postfix = Postfix(folder)
        for where, need in postfix.unmet(settings):
            met = False
            words = f"{where}: {need.name} is not {need.wanted}: {need.reason}"
            yield Finding("postfix", os.EX_CONFIG, words, f"set it as postfix/{where.partition(' ')[0]} does")
        for name in postfix.chrooted():
            met = False
            words = f"master.cf: {name} is chrooted and cannot see our sockets"
            yield Finding("postfix", os.EX_CONFIG, words, "write n into its chroot column")
        owner = postfix.values().get("mail_owner", "postfix")
    except NoPostfix as missing:
        words, _, fix = str(missing).partition("; ")
        yield Finding("postfix", os.EX_UNAVAILABLE, words, fix)
        return
    if met:
        yield Finding("postfix", os.EX_OK, "its configuration says what it must")
    yield from _reached(settings, owner)


def _reached(settings: Settings, user: str) -> Iterator[Finding]:
    """Postfix's own user must get to each UNIX socket that is there."""
    try:
        person = Person.named(user)
    except KeyError:
        yield Finding("postfix", os.EX_CONFIG, f"there is no user {user}", "set mail_owner to the one Postfix runs as")
        return
    for endpoint in (*settings.lookup_listen, *settings.policy_listen, settings.milter_listen):
        if endpoint.path is None or not os.path.exists(endpoint.path):  # noqa: PTH110
            continue
        at = person.stopped_at(Path(endpoint.path), READ | WRITE)
        if at is not None:
            fix = f"open {at} to it (chmod o+x for a folder), or choose another run_dir"
            yield Finding("postfix", os.EX_NOPERM, f"user {user} cannot reach {endpoint}", fix)
        else:
            yield Finding("postfix", os.EX_OK, f"user {user} reaches {endpoint}")
