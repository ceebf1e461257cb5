"""What commands print: a table or a card for people, JSON for programs; both from the same rows.

Times are ISO 8601 in UTC. JSON is one document: an array from lists, an object from the rest.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

Row = Mapping[str, Any]

json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")


def show_list(rows: Iterable[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Many rows: every field as JSON, the named columns as a table."""
    if as_json:
        show_document(list(rows))
        return
    lines = [tuple(columns), *(tuple(_cell(row[name]) for name in columns) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_one(row: Row, *, as_json: bool) -> None:
    """One row: every field, empty ones left out of the text."""
    if as_json:
        show_document(row)
        return
    width = max(map(len, row), default=0)
    for name, value in row.items():
        if value not in (None, "", ()):
            click.echo(f"{name.replace('_', ' ').ljust(width)}  {_cell(value)}")


def show_document(value: object) -> None:
    """Anything as JSON."""
    click.echo(_document(value))


def show_record(value: object) -> None:
    """One of many, as they come: JSON on a line of its own, at once."""
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def _document(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case tuple() | list():
            return ", ".join(map(_cell, value)) or "-"
        case _:
            return str(value)
