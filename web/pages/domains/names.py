"""The list of domains, and a new one."""

from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import domains, mailboxes, sheets
from smtpy.admin.refusals import Refusal
from web import door
from web.auth import signed_in
from web.forms import refusals
from web.forms.domains import Add
from web.i18n import _
from web.limits import limiter
from web.pages.domains.frame import pages
from web.places import place
from web.toasts import tell

PAGE = 50


@pages.get("")
@signed_in
def listing() -> ResponseReturnValue:
    """All of them, or those in the trash, too."""
    trash = request.args.get("trash") == "1"
    after = place("after")
    with door.reading() as session:
        found = domains.page(session, trash=trash, after=after, limit=PAGE + 1)
        summaries = sheets.summaries(session, found[:PAGE])
    more = found[PAGE - 1].id if len(found) > PAGE else None
    shown = [each for each in found[:PAGE] if (each.deleted_at is not None) == trash]
    days = door.settings().trash_days
    return render_template(
        "domains/list.html", domains=shown, summaries=summaries, trash=trash, days=days, after=after, more=more
    )


@pages.route("/add", methods=["GET", "POST"])
@signed_in
@limiter.limit("30/hour", methods=["POST"])
def add() -> ResponseReturnValue:
    """A name, or a link that holds it."""
    form, status = Add(), 200
    if form.validate_on_submit():
        try:
            with door.change() as c:
                made = domains.add(c, name_in(form.domain.data), owner=door.member().uuid)
        except Refusal as refusal:
            status = refusals.show(form, refusal, "domain")
        else:
            tell(_("%(name)s is added. Now its DNS.", name=made.name))
            return redirect(url_for("domains.detail", domain=made.uuid), 303)
    elif form.is_submitted():
        status = 422
    return render_template("domains/add.html", form=form), status


def name_in(text: str) -> str:
    """The domain that somebody pasted: bare, in a link, or behind an address."""
    text = text.strip().rstrip(".")
    if "://" in text or text.startswith("//"):
        try:
            text = urlsplit(text).hostname or text
        except ValueError:
            return text
    host = text.partition("/")[0].rpartition("@")[2].partition(":")[0]
    return host.removeprefix("www.") if host.count(".") > 1 else host


def own_mailboxes() -> list[tuple[str, str]]:
    """Those of the member that mail can go to: UUID and address."""
    with door.reading() as session:
        found = mailboxes.page(session)
    return [(each.uuid, each.address) for each in found if each.verified_at is not None]
