"""CSV that a spreadsheet may open: no cell is taken for a formula (OWASP, CSV injection). RFC 4180."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a cell that is computed begins with


def written(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A sheet with a head. Several values of one cell stand behind each other, with a space."""
    return line(columns) + "".join(map(line, rows))


def line(values: Iterable[object]) -> str:
    """One row, for a sheet that is written while it is read."""
    out = io.StringIO()
    csv.writer(out).writerow(map(cell, values))
    return out.getvalue()


def cell(value: object) -> str:
    """A value as text; what would be computed has an apostrophe before it, which spreadsheets do not show."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds")
        case tuple() | list():
            text = " ".join(map(str, value))
        case _:
            text = str(value)
    return f"'{text}" if text.lstrip().startswith(FORMULAS) or text.startswith(FORMULAS) else text
