"""Rows as people read them: a table in Markdown for each load, then what dominates, and how the cost scales."""

from collections.abc import Iterable, Sequence

from bench.report import BARE, Row, excess

NAMED = 0.05  # share of the processor time from which on a part is named
COLUMNS = ("stack", "messages/s", "ratio", "CPU ms a message", "of it", "p50 ms", "p99 ms", "memory MB")
UNDER = ("---", "---:", "---:", "---:", "---", "---:", "---:", "---:")
NOTE = "\\* other work on the machine disturbed {disturbed} of {runs} runs"


def report(rows: Sequence[Row]) -> str:
    """Everything."""
    paragraphs = [f"### {load}\n\n{table(row for row in rows if load_of(row) == load)}" for load in _loads(rows)]
    disturbed, runs = sum(row.disturbed for row in rows), sum(row.runs for row in rows)
    if disturbed:
        paragraphs.append(NOTE.format(disturbed=disturbed, runs=runs))
    if said := [*map(scaling, (row for row in rows if row.scaling is not None)), *dominating(rows)]:
        paragraphs.append("\n".join(f"- {each}" for each in said))
    return "\n\n".join(paragraphs)


def _loads(rows: Sequence[Row]) -> Iterable[str]:
    return dict.fromkeys(map(load_of, rows))


def load_of(row: Row) -> str:
    """Size and recipients, in words."""
    to = "one recipient" if row.recipients == 1 else f"{row.recipients} recipients"
    return f"{row.size / 1024:g} KB, {to}{', no alias twice' if row.each_its_own else ''}"


def table(rows: Iterable[Row]) -> str:
    """Rows of one load."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (COLUMNS, UNDER, *map(_cells, rows)))


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.stack}, {row.aliases:,} aliases" if row.each_its_own and row.aliases else row.stack,
        f"{row.messages_per_s:.0f}{'*' if row.disturbed else ''}",
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        f"{row.cpu_ms:.2f}",
        parts(row),
        f"{row.p50_ms:.1f}",
        f"{row.p99_ms:.1f}",
        f"{row.memory_mb:.0f}",
    )


def parts(row: Row) -> str:
    """Where the processor time goes: Postfix by its larger daemons, the others whole."""
    daemons = sorted(row.cpu_by_daemon.items(), key=lambda item: -item[1])
    inside = ", ".join(f"{name} {each:.2f}" for name, each in daemons if each >= NAMED * row.cpu_ms)
    others = [f"{name} {each:.2f}" for name, each in row.cpu_by_component.items() if name != "postfix"]
    return ", ".join([f"postfix {row.cpu_by_component['postfix']:.2f} ({inside})", *others])


def dominating(rows: Sequence[Row]) -> Iterable[str]:
    """For each row beside a bare one: what it spends more, the largest first."""
    for row in rows:
        bare = next((each for each in rows if each.stack == BARE and each.same_load(row)), None)
        if bare is None or row is bare:
            continue
        whole = row.cpu_ms - bare.cpu_ms
        named = [f"{name} {each:+.2f}" for name, each in excess(row, bare).items() if each >= NAMED * abs(whole)]
        beyond = f"{row.cpu_ms:.2f} ms of CPU a message, {whole:+.2f} to bare Postfix's {bare.cpu_ms:.2f}"
        yield f"{_cells(row)[0]}, {load_of(row)}: {beyond}: {', '.join(named)}"


def scaling(row: Row) -> str:
    """What the number of aliases does to the cost; 1.00 is nothing."""
    return f"scaling: with {row.aliases:,} aliases {row.scaling:.2f} times the CPU a message ({load_of(row)})"
