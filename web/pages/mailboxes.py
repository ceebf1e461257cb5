"""A member's mailboxes: where their mail goes. Nothing goes to one before its owner has shown that it is theirs.

The link that was sent there shows it, to whoever opens it: GET shows, POST verifies.
"""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import links, mailbox_facts, mailboxes
from smtpy.admin.mailboxes import MailboxView
from smtpy.admin.refusals import NotFound, Refusal
from smtpy.notices import letters as texts
from web import door, letters
from web.auth import public, signed_in
from web.forms.mailboxes import NewMailbox
from web.forms.refusals import show
from web.i18n import _
from web.limits import asking, slowed
from web.places import place
from web.toasts import tell
from web.told import told

pages = Blueprint("mailboxes", __name__, url_prefix="/mailboxes")

SIZE = 50


@pages.get("")
@signed_in
def listing() -> ResponseReturnValue:
    """The mailboxes, or those in the trash."""
    trash, after = request.args.get("trash") == "1", place("after")
    with door.reading() as session:
        rows = mailboxes.page(session, trash=trash, after=after, limit=SIZE + 1)
        shown = rows[:SIZE]
        facts = mailbox_facts.facts(session, shown)
    thrown = [each for each in shown if each.deleted_at is not None]
    return render_template(
        "mailboxes/listing.html",
        mailboxes=thrown if trash else shown,
        facts=facts,
        trash=trash,
        after=after,
        more=shown[-1].id if len(rows) > SIZE else None,
    )


@pages.route("/new", methods=["GET", "POST"])
@signed_in
@asking
def new() -> ResponseReturnValue:
    """A new mailbox, and a letter to it."""
    form = NewMailbox()
    if not form.validate_on_submit():
        return render_template("mailboxes/new.html", form=form), 422 if form.is_submitted() else 200
    try:
        with door.change() as c:
            added = mailboxes.add(c, form.address.data.strip(), owner=door.member().email, verified=False)
            found, token = mailboxes.ask(c, added.uuid)
    except Refusal as refusal:
        status = show(form, refusal, "address")
        return render_template("mailboxes/new.html", form=form), status
    write_to(found, token)
    return redirect(url_for("mailboxes.listing"), 303)


def write_to(mailbox: MailboxView, token: str) -> None:
    """Send the link, and say whether it left."""
    host = door.settings().hostname
    letter = texts.mailbox(_, letters.link("mailboxes.verify", token=token), host)
    if letters.send(letter, mailbox.address):
        tell(_("A letter is on its way to %(address)s. Open the link in it.", address=mailbox.address))
    else:
        tell(_("The letter could not be sent just now. Send it again in a few minutes."), "bad")


@pages.post("/<uuid:mailbox>/ask")
@signed_in
@asking
def ask(mailbox: UUID) -> ResponseReturnValue:
    """Another letter, with another link."""
    try:
        with door.change() as c:
            found, token = mailboxes.ask(c, str(mailbox))
    except NotFound:
        raise
    except Refusal as refusal:
        tell(told(refusal.message), "bad")
    else:
        write_to(found, token)
    return redirect(url_for("mailboxes.listing"), 303)


@pages.route("/verify/<token>", methods=["GET", "POST"])
@public
@slowed
def verify(token: str) -> ResponseReturnValue:
    """Whoever opens the link reads there."""
    try:
        with door.operating() as session:
            link = links.find(session, token, links.Purpose.MAILBOX, door.now())
            found = mailboxes.of_link(session, link)
        if request.method == "GET":
            return render_template("mailboxes/verify.html", address=found.address)
        with door.governing("link") as c:
            mailboxes.verify(c, token)
    except NotFound as refusal:
        return render_template("signing/gone.html", words=told(refusal.message)), 404
    return render_template("mailboxes/verified.html", address=found.address)


@pages.post("/<uuid:mailbox>/switch")
@signed_in
def switch(mailbox: UUID) -> ResponseReturnValue:
    """On or off: mail goes to the others behind an alias, and is put off if there are none."""
    on = request.form.get("on") == "1"
    with door.change() as c:
        found = (mailboxes.on if on else mailboxes.off)(c, str(mailbox))
    words = _("%(address)s gets mail.") if on else _("%(address)s gets no mail now.")
    back = url_for("mailboxes.switch", mailbox=found.uuid)
    tell(words % {"address": found.address}, undo=back, on="0" if on else "1")
    return redirect(url_for("mailboxes.listing"), 303)


@pages.post("/<uuid:mailbox>/prefer")
@signed_in
def prefer(mailbox: UUID) -> ResponseReturnValue:
    """New aliases lead there."""
    with door.change() as c:
        found = mailboxes.prefer(c, str(mailbox))
    tell(_("New aliases lead to %(address)s.", address=found.address))
    return redirect(url_for("mailboxes.listing"), 303)


@pages.post("/<uuid:mailbox>/trash")
@signed_in
def throw_away(mailbox: UUID) -> ResponseReturnValue:
    """Into the trash, unless something leads there."""
    try:
        with door.change() as c:
            found = mailboxes.delete(c, str(mailbox))
    except NotFound:
        raise
    except Refusal as refusal:
        tell(told(refusal.message), "bad")
    else:
        words = _("%(address)s is in the trash.", address=found.address)
        tell(words, undo=url_for("mailboxes.restore", mailbox=found.uuid))
    return redirect(url_for("mailboxes.listing"), 303)


@pages.post("/<uuid:mailbox>/restore")
@signed_in
def restore(mailbox: UUID) -> ResponseReturnValue:
    """Out of the trash."""
    with door.change() as c:
        found = mailboxes.restore(c, str(mailbox))
    tell(_("%(address)s is back.", address=found.address))
    return redirect(url_for("mailboxes.listing"), 303)
