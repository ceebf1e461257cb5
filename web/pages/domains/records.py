"""What the DNS of a domain is to say, what was found, and a check of it now."""

import json
from dataclasses import asdict
from uuid import UUID

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import checks, domains, sheets
from smtpy.admin.checks import Checked
from smtpy.admin.domains import DomainView
from smtpy.zone.findings import Status
from smtpy.zone.master import lines
from smtpy.zone.records import Wanted
from web import checking, door
from web.auth import safe_next, signed_in
from web.i18n import _
from web.pages.domains.frame import pages
from web.toasts import tell


@pages.get("/<uuid:domain>")
@signed_in
def detail(domain: UUID) -> ResponseReturnValue:
    """Its records."""
    with door.reading() as session:
        view = domains.show(session, str(domain))
        if view.deleted_at is not None:
            return render_template("domains/trashed.html", domain=view)
        running = checking.checks().runs(view.name)
        found = sheets.sheet(session, view.uuid, door.settings())
    keeper = checking.checks().keeper(view.name)
    return render_template("domains/records.html", domain=view, sheet=found, keeper=keeper, running=running)


@pages.get("/<uuid:domain>/records")
@signed_in
def records(domain: UUID) -> ResponseReturnValue:
    """The part of the page that changes with a check."""
    return _part(str(domain))


@pages.post("/<uuid:domain>/check")
@signed_in
@checking.slowly
def check(domain: UUID) -> ResponseReturnValue:
    """Ask DNS now. A page that looks by itself has its answer at once; without JavaScript it waits a little."""
    with door.reading() as session:
        view = domains.DOMAINS.show(session, str(domain))
    if view.deleted_at is not None:
        abort(404)
    by = f"web:{door.member().email}"
    if request.headers.get("X-Part"):
        checking.checks().start(view.name, by)
        return _part(view.uuid, again="next" in request.form)
    say(view, checking.checks().wait(view.name, by))
    return redirect(safe_next(request.form.get("next") or url_for("domains.detail", domain=view.uuid)), 303)


def _part(uuid: str, *, again: bool = False) -> ResponseReturnValue:
    """`again`: for whoever waits for all to be right."""
    with door.reading() as session:
        view = domains.show(session, uuid)
        running = checking.checks().runs(view.name)
        found = sheets.sheet(session, uuid, door.settings())
    return render_template("domains/_records.html", domain=view, sheet=found, running=running, again=again)


def say(view: DomainView, came: Checked | None) -> None:
    """What came of a check, in one line."""
    if came is None:
        tell(_("DNS has not answered yet. The check goes on; load this page again in a moment."), "warn")
    elif came.refusal:
        tell(came.refusal, "bad")
    elif came.proven:
        tell(_("The domain is yours: its mail comes here from now on."))
    elif all(each.status is Status.UNKNOWN for each in came.findings):
        tell(_("DNS does not answer. Try again in a moment; if it stays so, tell your operator."), "bad")
    else:
        bad = sum(each.bad for each in came.findings)
        tell(_("Checked: %(bad)s required records are not right yet.", bad=bad) if bad else _("Checked."), "good")


@pages.get("/<uuid:domain>/zone.txt")
@signed_in
def zone(domain: UUID) -> ResponseReturnValue:
    """All records as lines of a zone file."""
    name, wanted = _wanted(domain)
    return "".join(f"{line}\n" for line in lines(wanted)), 200, _file(f"{name}.txt", "text/plain; charset=utf-8")


@pages.get("/<uuid:domain>/zone.json")
@signed_in
def zone_json(domain: UUID) -> ResponseReturnValue:
    """All records for a program."""
    name, wanted = _wanted(domain)
    text = json.dumps([asdict(each) for each in wanted], indent=2, ensure_ascii=False)
    return f"{text}\n", 200, _file(f"{name}.json", "application/json")


def _wanted(domain: UUID) -> tuple[str, tuple[Wanted, ...]]:
    """Raises NotFound, InTrash."""
    with door.reading() as session:
        view = domains.show(session, str(domain))
        return view.name, checks.wanted(session, view.uuid, door.settings())


def _file(name: str, kind: str) -> dict[str, str]:
    return {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}
