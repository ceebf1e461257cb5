"""The first hour: from a domain to a first message that is seen to arrive, step by step, to be left and taken up again.

Each step is a page with one thing to do and one sentence of why; back and forth is by links, and nothing is lost by
going. Where somebody is is noted when they go on (smtpy.admin.welcome).
"""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import aliases, domains, mailboxes, names, welcome
from smtpy.admin.refusals import Refusal
from smtpy.admin.sessions import Member
from smtpy.admin.welcome import DISMISSED, DONE, OVER, STEPS, Progress, Step
from smtpy.notices import letters as texts
from web import checking, door, letters
from web.auth import signed_in
from web.forms import refusals
from web.forms.domains import Add
from web.forms.welcome import Box, First
from web.i18n import N_, _
from web.limits import asking, limiter
from web.pages.domains.frame import words
from web.pages.domains.names import name_in
from web.pages.mailboxes import write_to
from web.toasts import tell

pages = Blueprint("welcome", __name__, url_prefix="/welcome")

NAMES: dict[Step, str] = {
    "domain": N_("Domain"),
    "dns": N_("DNS"),
    "mailbox": N_("Mailbox"),
    "alias": N_("First alias"),
    "test": N_("Test mail"),
}


def way_in(member: Member, target: str) -> str:
    """Where somebody goes who has just signed in: to their first hour, unless it is over or they wanted elsewhere."""
    return url_for("welcome.start") if target == "/" and member.welcome not in OVER else target


@pages.get("")
@signed_in
def start() -> ResponseReturnValue:
    """Where they were; at first, what they lack: others may have made something for them."""
    at = door.member().welcome
    if at not in STEPS:
        so_far = _progress()
        at = next((step for step in STEPS if not so_far.has(step)), STEPS[-1])
    return redirect(url_for(f"welcome.{at}"), 303)


@pages.post("/go")
@signed_in
def go() -> ResponseReturnValue:
    """On to a step, which is noted; `done` is the end."""
    to = request.form.get("to", "")
    if to == DONE:
        welcome.reach(door.engine(), door.member().id, DONE)
        tell(_("That is all. Make an alias whenever somebody asks for your address."))
        return redirect(url_for("home.dashboard"), 303)
    if to not in STEPS:
        abort(400)
    return _on_to(to)


@pages.post("/dismiss")
@signed_in
def dismiss() -> ResponseReturnValue:
    """Enough; the dashboard offers it no more."""
    welcome.reach(door.engine(), door.member().id, DISMISSED)
    return redirect(url_for("home.dashboard"), 303)


def _on_to(step: Step) -> ResponseReturnValue:
    welcome.reach(door.engine(), door.member().id, step)
    return redirect(url_for(f"welcome.{step}"), 303)


def _progress() -> Progress:
    with door.reading() as session:
        return welcome.progress(session, door.settings())


def _page(step: Step, so_far: Progress, **values: Any) -> str:
    at = STEPS.index(step)
    steps = [(each, _(NAMES[each]), so_far.has(each), each == step) for each in STEPS]
    after = STEPS[at + 1] if at + 1 < len(STEPS) else None
    before = STEPS[at - 1] if at else None
    given = {"step": step, "steps": steps, "so_far": so_far, "before": before, "after": after}
    return render_template(f"welcome/{step}.html", **given, **words(), **values)


@pages.route("/domain", methods=["GET", "POST"])
@signed_in
@limiter.limit("30/hour", methods=["POST"])
def domain() -> ResponseReturnValue:
    """A name of their own."""
    form, status = Add(), 200
    if form.validate_on_submit():
        try:
            with door.change() as c:
                domains.add(c, name_in(form.domain.data), owner=door.member().uuid)
        except Refusal as refusal:
            status = refusals.show(form, refusal, "domain")
        else:
            return _on_to("dns")
    elif form.is_submitted():
        status = 422
    return _page("domain", _progress(), form=form), status


@pages.get("/dns")
@signed_in
def dns() -> ResponseReturnValue:
    """Its records, with ticks while one watches."""
    with door.reading() as session:
        own = domains.page(session)
        if not own:
            return redirect(url_for("welcome.domain"), 303)
        running = checking.checks().runs(own[-1].name)
        so_far = welcome.progress(session, door.settings())
    if "X-Part" in request.headers:
        given = {"domain": own[-1], "sheet": so_far.sheet, "running": running, "again": True}
        return render_template("domains/_records.html", **given, **words())
    return _page("dns", so_far, running=running, keeper=checking.checks().keeper(own[-1].name))


@pages.route("/mailbox", methods=["GET", "POST"])
@signed_in
@asking
def mailbox() -> ResponseReturnValue:
    """Where mail is read. The address of the account needs no letter: its owner has shown it already."""
    form, status, so_far = Box(), 200, _progress()
    if request.form.get("again") and so_far.mailbox:
        with door.change() as c:
            asked = mailboxes.ask(c, so_far.mailbox.uuid)
        write_to(*asked)
        return redirect(url_for("welcome.mailbox"), 303)
    if form.validate_on_submit():
        try:
            return _new_mailbox(form.address.data.strip())
        except Refusal as refusal:
            status = refusals.show(form, refusal, "address")
    elif form.is_submitted():
        status = 422
    elif "X-Part" in request.headers:
        return render_template("welcome/_box.html", box=so_far.mailbox)
    else:
        form.address.data = door.member().email
    return _page("mailbox", so_far, form=form, box=so_far.mailbox), status


def _new_mailbox(address: str) -> ResponseReturnValue:
    """Raises a Refusal."""
    me = door.member()
    known = me.verified and address.lower() == me.email.lower()
    asked = None
    with door.change() as c:
        made = mailboxes.add(c, address, owner=me.uuid, verified=known)
        if not known:
            asked = mailboxes.ask(c, made.uuid)
    if asked is None:
        return _on_to("alias")
    write_to(*asked)
    return redirect(url_for("welcome.mailbox"), 303)


@pages.route("/alias", methods=["GET", "POST"])
@signed_in
def alias() -> ResponseReturnValue:
    """A first address to give away."""
    form, status, so_far = First(), 200, _progress()
    if not form.is_submitted():
        form.local.data = names.words()
    elif so_far.sheet is None or so_far.mailbox is None:
        return redirect(url_for("welcome.mailbox" if so_far.sheet else "welcome.domain"), 303)
    elif form.validate():
        try:
            with door.change() as c:
                address = f"{form.local.data.strip()}@{so_far.sheet.domain.name}"
                aliases.add(c, address, to=[so_far.mailbox.uuid], note=form.note.data or "")
        except Refusal as refusal:
            status = refusals.show(form, refusal, "local")
        else:
            return _on_to("test")
    else:
        status = 422
    return _page("alias", so_far, form=form), status


@pages.route("/test", methods=["GET", "POST"])
@signed_in
@limiter.limit("5/minute", methods=["POST"])
def test() -> ResponseReturnValue:
    """A letter to the alias, through the same door as everybody's, and its way while it goes."""
    so_far = _progress()
    if request.method == "POST":
        if not (so_far.alias and so_far.works):
            abort(409)
        if letters.send(texts.test(_, so_far.alias.address), so_far.alias.address):
            return redirect(url_for("welcome.test", sent=1), 303)
        tell(_("The mail server does not take mail now. Try again in a moment, or ask your operator."), "bad")
        return redirect(url_for("welcome.test"), 303)
    if "X-Part" in request.headers:
        return render_template("welcome/_way_of.html", so_far=so_far, message=so_far.message)
    return _page("test", so_far, message=so_far.message)
