"""`smtpy doctor`: what is wrong with this installation, each finding with its fix; the exit code tells the worst one.

Checks go from causes to consequences: settings, files, database, DNS, sockets, Postfix; so of several errors the first
gives the exit code, since it may well be the cause of the others. Nothing is changed, and each socket and each DNS
server is asked no more than one harmless question.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smtpy.cli.ailment import WARNING, Finding
from smtpy.cli.setup import Setup, Trouble, give_back, pass_setup
from smtpy.cli.show import json_option, show_document

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from smtpy.config import Settings
    from smtpy.net import Endpoint


SAID = {os.EX_OK: "ok   ", WARNING: "WARN "}  # the rest are errors


@click.command("doctor")
@click.option(
    "--postfix",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The configuration folder of Postfix; default: the one Postfix itself would use.",
)
@json_option
@click.pass_context
@pass_setup
def doctor_command(setup: Setup, ctx: click.Context, postfix: Path | None, as_json: bool) -> None:
    """Look for what is wrong with this installation."""
    found = list(examine(setup, postfix))
    if as_json:
        show_document([asdict(finding) for finding in found])
    else:
        for finding in found:
            fix = f"; {finding.fix}" if finding.fix else ""
            click.echo(f"{SAID.get(finding.code, 'ERROR')} {finding.subject}: {finding.words}{fix}")
    codes = [finding.code for finding in found if finding.code]
    ctx.exit(next((code for code in codes if code != WARNING), max(codes, default=os.EX_OK)))


def examine(setup: Setup, postfix: Path | None) -> Iterator[Finding]:
    """All findings; without settings nothing else can be looked at."""
    from smtpy.cli.upkeep import resolvers

    try:
        settings = setup.settings
    except Trouble as trouble:
        for line in trouble.message.splitlines()[1:]:
            yield Finding("settings", trouble.code, line, give_back(line) or "correct it, or run `smtpy init`")
        return
    yield Finding("settings", os.EX_OK, f"those of {settings.hostname} are good")
    yield from _files(setup)
    yield from _database(setup)
    yield from resolvers(settings)
    yield from _sockets(setup)
    yield from _queue(settings)
    yield from _postfix(setup, postfix or settings.postfix_dir)


def _files(setup: Setup) -> Iterator[Finding]:
    """Secrets and database are nobody else's to read, run_dir nobody else's to write."""
    from smtpy.config import gather

    secret = gather(setup.config, setup.environ).secret_files
    database = setup.settings.database_url.removeprefix("sqlite:///")
    if database.startswith("/"):
        secret.append(Path(database))
    for path, look in (*((each, _secret) for each in secret), (setup.settings.run_dir, _run_dir)):
        try:
            yield from look(path)
        except PermissionError:
            fix = "run doctor as one who may enter its folder"
            yield Finding("files", os.EX_NOPERM, f"{path} is closed to this user", fix)


def _secret(path: Path) -> Iterator[Finding]:
    from smtpy.cli.reach import NOBODY, READ

    if not path.exists():
        return
    if NOBODY.stopped_at(path, READ) is None:
        yield Finding("files", os.EX_NOPERM, f"anybody can read {path}", f"chmod o-rwx {path}")
    else:
        yield Finding("files", os.EX_OK, f"{path} is closed to others")


def _run_dir(path: Path) -> Iterator[Finding]:
    from smtpy.cli.reach import NOBODY, WRITE

    if not path.is_dir():
        yield Finding("files", os.EX_CANTCREAT, f"run_dir {path} is not there", f"mkdir -p {path}")
    elif NOBODY.may(path, WRITE):
        yield Finding("files", os.EX_NOPERM, f"anybody can put sockets into {path}", f"chmod o-w {path}")
    else:
        yield Finding("files", os.EX_OK, f"run_dir {path} is ours to write")


def _database(setup: Setup) -> Iterator[Finding]:
    try:
        with setup.engine() as engine:
            from smtpy.cli.upkeep import upkeep
            from smtpy.store import migrate

            current, head = migrate.current(engine), migrate.head()
            rest = [*_names(setup.settings, engine), *upkeep(setup, engine)] if current == head else []
    except Trouble as trouble:
        words, _, fix = trouble.message.partition("; ")
        yield Finding("database", trouble.code, words, fix)
        return
    if current == head:
        yield Finding("database", os.EX_OK, f"it is at {head}, the head of its migrations")
    else:
        words = f"it is at {current or 'nothing'}, and this version needs {head}"
        yield Finding("database", os.EX_CONFIG, words, "run `smtpy init`")
    yield from rest


def _names(settings: "Settings", engine: "Engine") -> Iterator[Finding]:
    """The roles of the host must not depend on a domain of ours."""
    from smtpy.store.directory import SqlDirectory

    directory, host = SqlDirectory(engine, settings.srs_max_age_days), settings.hostname
    if directory.domain(host):
        words = f"hostname {host} is a domain of ours, too, so the roles of the host do not exist"
        yield Finding("settings", os.EX_CONFIG, words, f"run `smtpy domain delete {host}`, or choose another hostname")
    if directory.domain(settings.postmaster.rpartition("@")[2]):
        words = f"postmaster {settings.postmaster} is on a domain of ours, so the roles of the host rest on an alias"
        yield Finding("settings", WARNING, words, "name an address elsewhere as postmaster")


def _sockets(setup: Setup) -> Iterator[Finding]:
    """Each service asked on each of its sockets; its answer must not be "try again"."""
    from smtpy.cli.reach import ask_lookup, ask_policy, touch

    settings = setup.settings
    patience = settings.deadline_seconds + 2  # a service that is cut off from the database says so within its deadline
    for lookup in settings.lookup_listen:
        yield _asked("lookup", lookup, lambda each: ask_lookup(each, "doctor.invalid", patience))
    for policy in settings.policy_listen:
        yield _asked("policy", policy, lambda each: ask_policy(each, f"postmaster@{settings.hostname}", patience))
    yield _asked("milter", settings.milter_listen, lambda each: touch(each, patience))


def _asked(service: str, endpoint: "Endpoint", ask: Callable[["Endpoint"], str]) -> Finding:
    from smtpy.wire import Violation

    start = f"start `smtpy {service}` with these settings"
    try:
        reply = ask(endpoint)
    except PermissionError:
        return Finding(service, os.EX_NOPERM, f"this user may not use {endpoint}", "run doctor as one who may")
    except (OSError, Violation) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Finding(service, os.EX_UNAVAILABLE, f"{endpoint} does not answer ({reason})", start)
    if reply.startswith(("NOTFOUND", "DUNNO", "connected")):
        return Finding(service, os.EX_OK, f"{endpoint} answers")
    return Finding(service, os.EX_TEMPFAIL, f"{endpoint} says {reply}", f"see the log of `smtpy {service}`")


def _queue(settings: "Settings") -> Iterator[Finding]:
    """The web pages see and mend Postfix's queue through the helper alone; mail needs neither."""
    from smtpy.queue.client import Helper, NoHelper
    from smtpy.queue.decision import AGES
    from smtpy.queue.protocol import Act, Listing, Refused, Request

    try:
        answer = Helper(settings.queue_listen).ask(Request(Act.LIST, limit=1, by="doctor"))
    except NoHelper as missing:
        words, _, fix = str(missing).partition("; ")
        yield Finding("queue", WARNING, f"{words}, so the web pages cannot show Postfix's queue", fix)
        return
    if not isinstance(answer, Listing):
        words = answer.words if isinstance(answer, Refused) else "it answered something else"
        yield Finding("queue", WARNING, f"{settings.queue_listen}: {words}", "see the log of `smtpy queue serve`")
        return
    yield Finding("queue", os.EX_OK, f"{settings.queue_listen} answers, {answer.total} in the queue")
    day = AGES.index(86_400) + 1
    if old := sum(answer.ages[day:]):
        words = f"{old} messages have waited for more than a day"
        yield Finding("queue", WARNING, words, "see why by `smtpy queue list`")


def _postfix(setup: Setup, folder: Path | None) -> Iterator[Finding]:
    from smtpy.cli.postfix import NoPostfix, Postfix

    met = True
    try:
        postfix = Postfix(folder)
        for where, need in postfix.unmet(setup.settings):
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
    yield from _reached(setup, owner)


def _reached(setup: Setup, user: str) -> Iterator[Finding]:
    """Postfix's own user must get to each UNIX socket that is there."""
    from smtpy.cli.reach import READ, WRITE, Person

    settings = setup.settings
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
