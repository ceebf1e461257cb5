"""`smtpy audit tail`: who changed what, the newest last; with -f what comes, as it comes."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smtpy.cli.following import Rest, following
from smtpy.cli.logs import visible
from smtpy.cli.setup import Setup, pass_setup

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from smtpy.admin.audit import Row, Wanted

LOOK_SECONDS = 1.0
BATCH = 500


@click.command("tail")
@click.option("-n", "--lines", "number", type=click.IntRange(0, 10_000), default=20, show_default=True, help="Acts.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--actor", default="", metavar="TEXT", help="How the actor begins (web:ann@); *TEXT: any part of it.")
@click.option("--act", default="", metavar="ACT", help="user.add, or user for all that begin so.")
@click.option("--subject", default="", metavar="TEXT", help="How the subject begins; *TEXT: any part of it.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each instead of text.")
@pass_setup
def tail_command(setup: Setup, /, number: int, follow: bool, as_json: bool, **wanted: Any) -> None:
    """Show who changed what, the newest last."""
    with setup.engine() as engine:
        from smtpy.admin.audit import Wanted

        with following() if follow else contextlib.nullcontext() as rest:
            for row in _rows(engine, Wanted(**wanted), number, rest):
                click.echo(_json(row) if as_json else visible(_line(row)))


def _rows(engine: "Engine", wanted: "Wanted", number: int, rest: Rest | None) -> Iterator["Row"]:
    from smtpy.admin import audit
    from smtpy.admin.change import reading

    with reading(engine) as session:
        last = audit.newest(session)
        yield from reversed(audit.page(session, wanted, before=last + 1, limit=number) if number else ())
    pause = LOOK_SECONDS
    while rest and rest(pause):
        with reading(engine) as session:
            found = audit.after(session, last, wanted, limit=BATCH)
        yield from found
        last = found[-1].id if found else last
        pause = 0 if len(found) == BATCH else LOOK_SECONDS


def _line(row: "Row") -> str:
    where = f" from={row.client}" if row.client else ""
    moved = " ".join(_moved(row, name) for name in _names(row))
    return f"{row.at:%Y-%m-%d %H:%M:%S} {row.actor}{where} {row.act} {row.subject} {moved}".rstrip()


def _names(row: "Row") -> list[str]:
    return [name for name in dict.fromkeys([*(row.before or {}), *(row.after or {})]) if name not in ("id", "uuid")]


def _moved(row: "Row", name: str) -> str:
    """`name=before->after`; one of them alone when the other was not noted."""
    sides = [json.dumps(side[name], ensure_ascii=False) for side in (row.before, row.after) if side and name in side]
    return f"{name}={'->'.join(sides)}"


def _json(row: "Row") -> str:
    return json.dumps({**asdict(row), "at": row.at.isoformat()}, ensure_ascii=False)
