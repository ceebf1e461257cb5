"""`smtpy log`: messages and what became of them, newest first; all, or those that one thing is known by."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smtpy.cli.choices import MAX_NUMBER
from smtpy.cli.following import Rest, following
from smtpy.cli.logs import visible
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_document, show_record

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from smtpy.admin.ends import End
    from smtpy.admin.messages import MessagePage
    from smtpy.admin.timeline import Step, Timeline

LOOK_SECONDS = 0.5  # between two looks for what is new
DAY, TIME = "%Y-%m-%d %H:%M:%S", "%H:%M:%S"


@click.command("log")
@click.argument("about", required=False, metavar="[MESSAGE-ID|QUEUE-ID|ADDRESS|UUID]")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Messages.")
@click.option("--before", type=click.IntRange(1, MAX_NUMBER), metavar="ID", help="Older than this one.")
@click.option("-f", "--follow", is_flag=True, help="Then wait for more, and tell it as it comes, until Ctrl-C.")
@json_option
@pass_setup
def log_command(setup: Setup, about: str | None, limit: int, before: int | None, follow: bool, as_json: bool) -> None:
    """Messages and what became of them, newest first."""
    with setup.engine() as engine:
        if follow:
            _follow(engine, about, limit, as_json=as_json)
            return
        page = _page(engine, about, limit, before)
    if as_json:
        show_document([plain(each) for each in page.messages])
        return
    for each in page.messages:
        click.echo("\n".join(map(visible, lines(each))))
    if not page.messages:
        click.echo("nothing is recorded" + (f" about {about}" if about else ""), err=True)
    elif page.before is not None:
        click.echo(f"there may be more: --before {page.before}", err=True)


def _page(engine: "Engine", about: str | None, limit: int, before: int | None) -> "MessagePage":
    """A page of the journal; what only Postfix's log knows by that queue id where the journal has nothing."""
    from smtpy.admin import messages
    from smtpy.admin.change import reading
    from smtpy.admin.refusals import NotFound

    with reading(engine) as session:
        found = messages.page(session, about=about, before=before, limit=limit)
        if about and not found.messages and before is None:
            with contextlib.suppress(NotFound):
                found = messages.MessagePage((messages.of_file(session, about),), None)
        return found


def _follow(engine: "Engine", about: str | None, limit: int, *, as_json: bool) -> None:
    """What is known now, then every step as it comes: as lines, or a JSON object for each."""
    told: dict[str, int] = {}
    with following() as rest:
        for each in _growing(engine, about, limit, rest):
            steps, seen = each.steps, told.get(each.uuid or "", 0)
            for step in steps[seen:]:
                if as_json:
                    show_record({"uuid": each.uuid, "state": each.state, **asdict(step)})
                else:
                    click.echo(visible(f"{each.queue_ids[0] if each.queue_ids else each.uuid}: {line(step, DAY)}"))
            told[each.uuid or ""] = max(seen, len(steps))


def _growing(engine: "Engine", about: str | None, limit: int, rest: Rest) -> Iterator["Timeline"]:
    """Messages, oldest first, each again when more is known of it."""
    from smtpy.admin import messages
    from smtpy.admin.change import reading

    with reading(engine) as session:
        mark = messages.newest(session)
    if about:
        yield from reversed(_page(engine, about, limit, None).messages)
    while rest(LOOK_SECONDS):
        with reading(engine) as session:
            news, mark = messages.since(session, mark)
        if about and news:
            meant = {each.uuid for each in _page(engine, about, limit, None).messages}
            news = tuple(each for each in news if each.uuid in meant)
        yield from news


def plain(found: "Timeline") -> dict[str, object]:
    """A timeline for programs: the journal's row, those of the second pass, and what became of it."""
    passes, ends, steps = ([asdict(each) for each in many] for many in (found.seconds, found.ends, found.steps))
    return {**asdict(found.entry), "state": found.state, "ends": ends, "passes": passes, "steps": steps}


def lines(found: "Timeline") -> list[str]:
    """A timeline for people: the message, its recipients with their ends, the steps."""
    entry = found.entry
    head = f"{entry.at:{DAY}} {entry.queue_id or entry.uuid} {found.state} from=<{entry.reverse_path}>"
    told = [f"{head} size={entry.size} client={entry.client or '-'} stage={entry.stage} id={entry.uuid or '-'}"]
    if entry.message_id:
        told.append(f"    message-id {entry.message_id}")
    told += [f"    {ending(each)}" for each in found.ends]
    if not found.ends:
        told.append(f"    {entry.why}")
    return [*told, *(f"      {line(each, TIME)}" for each in found.steps)]


def ending(end: "End") -> str:
    """Where a recipient's copy is."""
    goes = f" -> {end.target}" if end.target not in ("", end.recipient) else ""
    return f"to=<{end.recipient}>{goes} {end.state}" + (f": {end.words}" if end.words else "")


def line(step: "Step", stamp: str) -> str:
    """A step for people."""
    words = [f"{step.at:{stamp}}", step.kind]
    if step.way != "front":
        words.append(f"({step.way})")
    if step.recipient:
        words.append(f"<{step.recipient}>")
    if step.relay and step.relay != "none":
        words.append(f"at {step.relay}")
    if step.dsn:
        words.append(step.dsn)
    return " ".join([*words, *([step.words] if step.words else [])])
