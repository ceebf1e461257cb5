"""The audit trail: who changed what, looked through by its columns, act by act, and taken away as CSV or JSON lines."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import audit as trail
from smtpy.admin.audit import Row, Wanted
from smtpy.admin.change import reading
from web import door, sheets
from web.auth import admin_only
from web.i18n import _
from web.limits import limiter
from web.pages.operator.frame import pages
from web.places import place

PAGE = 50
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
FILTERS = ("actor", "act", "subject", "since", "until")
COLUMNS = ("id", "at", "actor", "client", "act", "subject", "before", "after")


@pages.get("/audit")
@admin_only
def audit() -> ResponseReturnValue:
    """Acts, newest first."""
    wanted, bad = _wanted()
    before = place("before") or None
    with door.operating() as session:
        rows = () if bad else trail.page(session, wanted, before=before, limit=PAGE)
        acts = trail.acts(session)
    given = {name: value for name in FILTERS if (value := request.args.get(name))}
    return render_template(
        "operator/audit.html",
        rows=rows,
        acts=acts,
        given=given,
        bad=bad,
        newer=url_for("operator.audit", **given) if before else None,  # type: ignore[arg-type]  # texts
        older=url_for("operator.audit", **given, before=rows[-1].id) if len(rows) == PAGE else None,  # type: ignore[arg-type]
    )


@pages.get("/audit/<number>")
@admin_only
def audit_act(number: str) -> ResponseReturnValue:
    """One act: what was before, and what after."""
    with door.operating() as session:
        row = trail.find(session, int(number) if _NUMBER.match(number) else 0)
    names = dict.fromkeys([*(row.before or {}), *(row.after or {})])
    pairs = [(name, _shown(row.before, name), _shown(row.after, name)) for name in names]
    return render_template("operator/audit_act.html", row=row, pairs=pairs)


def _shown(side: dict[str, Any] | None, name: str) -> str | None:
    if side is None or name not in side:
        return None
    value = side[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@pages.post("/audit/export")
@admin_only
@limiter.limit("2/minute")
def audit_export() -> ResponseReturnValue:
    """What is looked for, streamed as it is read: a long trail fills no memory. It is an act itself, so it is noted."""
    ending = request.form.get("as", "")
    wanted, bad = _wanted()
    if ending not in FORMS or bad:
        return redirect(url_for("operator.audit"), 303)
    kind, write = FORMS[ending]
    with door.tending() as c:
        c.note("audit.export", "the audit trail", None, {name: request.form.get(name, "") for name in FILTERS})
    engine = door.engine()

    def lines() -> Iterator[str]:
        with reading(engine) as session:
            yield from write(trail.stream(session, wanted))

    name = f"audit-{door.now():%Y%m%d-%H%M}.{ending}"
    headers = {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines()), headers=headers)


def _csv(rows: Iterator[Row]) -> Iterator[str]:
    yield sheets.line(COLUMNS)
    for row in rows:
        plain = asdict(row) | {"at": row.at.isoformat()}
        plain |= {side: plain[side] and json.dumps(plain[side], ensure_ascii=False) for side in ("before", "after")}
        yield sheets.line(plain[name] for name in COLUMNS)


def _jsonl(rows: Iterator[Row]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(asdict(row) | {"at": row.at.isoformat()}, ensure_ascii=False) + "\n"


FORMS = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "jsonl": ("application/jsonl; charset=utf-8", _jsonl),
}


def _wanted() -> tuple[Wanted, str]:
    """What is looked for, and what is wrong with it. Days are UTC's, the last one included."""
    given = {name: request.values.get(name, "").strip()[:320] for name in FILTERS}
    try:
        since, last = _day(given["since"]), _day(given["until"])
        until = last + timedelta(days=1) if last else None
    except (ValueError, OverflowError):  # overflow: the day after the last there is
        return Wanted(), _("A day is written 2030-12-31.")
    words = {name: given[name] for name in ("actor", "act", "subject")}
    return Wanted(**words, since=since, until=until), ""


def _day(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None
