"""Invitations: a link for somebody, shown once and sent if wanted; those that nobody has accepted; taking one back."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import accounts, roll
from smtpy.admin.refusals import Refusal
from smtpy.notices import letters as words
from web import door, letters
from web.auth import admin_only
from web.forms.operator import Invite
from web.i18n import _
from web.limits import limiter
from web.pages.operator.frame import pages
from web.toasts import tell
from web.told import told

PAGE = 50


@pages.get("/invitations")
@admin_only
def invitations() -> ResponseReturnValue:
    """A new one, and those that wait."""
    return _page(Invite())


@pages.post("/invitations")
@admin_only
@limiter.limit("60/hour")
def invitations_add() -> ResponseReturnValue:
    """Invite somebody. The answer itself shows the link, which is kept nowhere: there is no way back to it."""
    form = Invite()
    if not form.validate_on_submit():
        return _page(form), 422
    email = form.email.data.strip()
    try:
        with door.tending() as c:
            token = accounts.invite(c, email, role=roll.role(form.role.data))
    except Refusal as refusal:
        form.email.errors = [told(refusal.message)]
        return _page(form), 422
    link = letters.link("signing.invited", token=token)
    settings = door.settings()
    letter = words.invitation(_, link, settings.hostname, settings.postmaster)
    sent = letters.send(letter, email) if form.send.data else None
    return render_template("operator/invited.html", email=email, link=link, sent=sent)


@pages.post("/invitations/<uuid:invitation>/revoke")
@admin_only
def invitations_revoke(invitation: str) -> ResponseReturnValue:
    """Make a link worth nothing."""
    with door.tending() as c:
        accounts.revoke_invitation(c, str(invitation))
    tell(_("The invitation is worth nothing any more."))
    return redirect(url_for("operator.invitations"), 303)


def _page(form: Invite) -> str:
    before = request.args.get("before", "")
    with door.operating() as session:
        rows = accounts.invitations(session, before=before, limit=PAGE)
    return render_template(
        "operator/invitations.html",
        form=form,
        rows=rows,
        newer=url_for("operator.invitations") if before else None,
        older=url_for("operator.invitations", before=rows[-1].uuid) if len(rows) == PAGE else None,
    )
