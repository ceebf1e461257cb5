"""How a member signs in, from where they are signed in, and what was done to either."""

from http import HTTPStatus

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import factors, passkeys, sessions, signing_in, trail
from smtpy.admin.refusals import Refusal
from web import door, letters
from web import sessions as cookies
from web.auth import signed_in, sudo
from web.forms import refusals
from web.forms.settings import Password
from web.i18n import _
from web.pages.settings import pages
from web.toasts import tell


@pages.get("/security")
@signed_in
def security() -> ResponseReturnValue:
    """All of it at a glance."""
    member = door.member()
    with door.reading() as rows:
        return render_template(
            "settings/security.html",
            passkeys=passkeys.of_member(rows, member.id),
            codes_left=factors.codes_left(rows, member.id),
            sessions=sessions.of_member(rows, member.id),
            failures=signing_in.failures(rows, member.id, door.now() - signing_in.REMEMBERED),
            happenings=trail.of_account(rows, member.email),
        )


@pages.route("/security/password", methods=["GET", "POST"])
@sudo
def password() -> ResponseReturnValue:
    """Another password; every other session ends, and this one gets another name."""
    form, member = Password(), door.member()
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        try:
            with door.personal() as c:
                signing_in.set_password(c, member.id, form.password.data, words=(door.settings().hostname,))
                sessions.revoke_all(c, member.id, but=cookies.visit().sid)
        except Refusal as refusal:
            status = HTTPStatus(refusals.show(form, refusal, "password"))
        else:
            cookies.step_up(door.now())
            letters.tell_changed(member, "password")
            tell(_("Your password is changed. All your other sessions have ended."))
            return redirect(url_for("settings.security"), HTTPStatus.SEE_OTHER)
    return render_template("settings/password.html", form=form), status


@pages.post("/security/sessions/<uuid:session>/revoke")
@signed_in
def session_revoke(session: str) -> ResponseReturnValue:
    """End a session."""
    with door.personal() as c:
        sessions.revoke(c, str(session))
    tell(_("That session has ended."))
    return redirect(url_for("settings.security"), HTTPStatus.SEE_OTHER)


@pages.post("/security/sessions/revoke-others")
@signed_in
def sessions_revoke() -> ResponseReturnValue:
    """End all sessions but this one."""
    with door.personal() as c:
        sessions.revoke_all(c, door.member().id, but=cookies.visit().sid)
    tell(_("All your other sessions have ended."))
    return redirect(url_for("settings.security"), HTTPStatus.SEE_OTHER)
