"""Automatic aliases of a domain: the catch-all, patterns, and a place to try them."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import automatics, domains
from smtpy.admin.automatics import AutomaticView
from smtpy.admin.domains import DomainView
from smtpy.admin.refusals import NotFound, Refusal
from web import door
from web.auth import signed_in
from web.forms import refusals
from web.forms.domains import CatchAll, Rule, chosen
from web.i18n import _
from web.pages.domains.frame import pages
from web.pages.domains.names import own_mailboxes
from web.toasts import tell
from web.told import told

MOST_TRIED = 20  # names at once


@pages.route("/<uuid:domain>/rules", methods=["GET", "POST"])
@signed_in
def rules(domain: UUID) -> ResponseReturnValue:
    """Those there are, a new one, and which of them would take a name."""
    view, found, boxes = _seen(domain)
    form, status = Rule(), 200
    form.to.choices = chosen(boxes)
    if form.validate_on_submit():
        try:
            with door.change() as c:
                automatics.add(c, view.uuid, form.pattern.data.strip(), to=form.to.data)
        except Refusal as refusal:
            status = refusals.show(form, refusal, "pattern")
        else:
            tell(_("Every address that fits %(pattern)s works now.", pattern=form.pattern.data.strip()))
            return redirect(url_for("domains.rules", domain=domain), 303)
    elif form.is_submitted():
        status = 422
    return _page(view, found, form, _catching(found, boxes)), status


@pages.post("/<uuid:domain>/rules/catch-all")
@signed_in
def rules_catch_all(domain: UUID) -> ResponseReturnValue:
    """Let every address exist, or no more."""
    view, found, boxes = _seen(domain)
    form = CatchAll()
    form.to.choices = chosen(boxes)
    if request.form.get("off"):
        with door.change() as c:
            automatics.no_catch_all(c, view.uuid)
        tell(_("Only addresses that are declared or fit a pattern work now."))
    elif form.validate_on_submit():
        with door.change() as c:
            automatics.catch_all(c, view.uuid, to=form.to.data)
        tell(_("Every address of %(name)s works now.", name=view.name))
    else:
        blank = Rule(formdata=None)
        blank.to.choices = chosen(boxes)
        return _page(view, found, blank, form), 422
    return redirect(url_for("domains.rules", domain=domain), 303)


@pages.post("/<uuid:domain>/rules/<uuid:rule>/delete")
@signed_in
def rules_delete(domain: UUID, rule: UUID) -> ResponseReturnValue:
    """Take one away; it can be had back as it was."""
    with door.change() as c:
        view = domains.show(c.session, str(domain))
        gone = automatics.show(c.session, str(rule))
        if gone.domain != view.name:
            raise NotFound("rule", "there is no such rule of this domain")
        automatics.delete(c, gone.uuid)
    undo = url_for("domains.rules_restore", domain=domain)
    tell(_("The rule is gone."), undo=undo, pattern=gone.pattern or "", to=" ".join(gone.mailboxes))
    return redirect(url_for("domains.rules", domain=domain), 303)


@pages.post("/<uuid:domain>/rules/restore")
@signed_in
def rules_restore(domain: UUID) -> ResponseReturnValue:
    """Make the one again that was deleted a moment ago; it comes last among the patterns."""
    pattern, to = request.form.get("pattern", ""), request.form.get("to", "").split()
    with door.change() as c:
        if pattern:
            automatics.add(c, str(domain), pattern, to=to)
        else:
            automatics.catch_all(c, str(domain), to=to)
    return redirect(url_for("domains.rules", domain=domain), 303)


def _seen(domain: UUID) -> tuple[DomainView, tuple[AutomaticView, ...], list[tuple[str, str]]]:
    """The domain, its rules, and the mailboxes that they may lead to. Raises NotFound, InTrash."""
    with door.reading() as session:
        domains.DOMAINS.living(session, str(domain))
        view = domains.show(session, str(domain))
        found = automatics.page(session, view.uuid)
    return view, found, own_mailboxes()


def _catching(found: tuple[AutomaticView, ...], boxes: list[tuple[str, str]]) -> CatchAll:
    """The form of the catch-all, as it is now."""
    form = CatchAll(formdata=None)
    form.to.choices = chosen(boxes)
    led = next((each.mailboxes for each in found if each.pattern is None), ())
    form.to.data = [uuid for uuid, address in boxes if address in led]
    return form


def _page(view: DomainView, found: tuple[AutomaticView, ...], form: Rule, catching: CatchAll) -> str:
    pattern, names = request.args.get("pattern", "").strip(), request.args.get("names", "")
    tried, wrong = [], ""
    for local in names.replace(",", " ").split()[:MOST_TRIED]:
        local = local.partition("@")[0]
        try:
            fits = automatics.fits(pattern, local) if pattern else None
        except Refusal as refusal:
            wrong = told(refusal.message)
            break
        tried.append((local, fits, automatics.tried(found, local)))
    if pattern and not names:
        try:
            automatics.fits(pattern, "")
        except Refusal as refusal:
            wrong = told(refusal.message)
    given = {"pattern": pattern, "names": names, "tried": tried, "wrong": wrong}
    return render_template("domains/rules.html", domain=view, rules=found, form=form, catching=catching, **given)
