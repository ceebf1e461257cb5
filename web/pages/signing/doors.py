"""In and out: by password, and again by password before what is dangerous."""

from http import HTTPStatus

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from smtpy.admin import signing_in
from smtpy.admin.sessions import Member
from web import door, sessions
from web.agents import described
from web.auth import public, safe_next, signed_in
from web.forms.signing import Confirm, SignIn
from web.i18n import _
from web.limits import guarded
from web.pages.signing import pages


@pages.route("/sign-in", methods=["GET", "POST"])
@public
@guarded
def sign_in() -> ResponseReturnValue:
    """Who are you?"""
    form = SignIn()
    if not form.is_submitted():
        form.next.data = safe_next(request.args.get("next", "/"))
        if sessions.visit().member is not None:
            return redirect(form.next.data, HTTPStatus.SEE_OTHER)
        return render_template("signing/sign_in.html", form=form)
    if form.validate():
        email, password = form.email.data or "", form.password.data or ""
        member = signing_in.by_password(door.engine(), email, password, client=door.client(), now=door.now())
        if member is not None:
            with door.personal(member.email) as c:
                signing_in.keep_up(c, member, password)
            return let_in(member, "password", safe_next(form.next.data or "/"))
        form.password.errors = [_("That address and that password do not fit together.")]
    return render_template("signing/sign_in.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY


def let_in(member: Member, how: str, target: str) -> ResponseReturnValue:
    """They have shown who they are: a session of theirs, and on to where they wanted to go."""
    with door.personal(member.email) as c:
        signing_in.came(c, member, how=how, device=described(request.headers.get("User-Agent", "")))
    sessions.enter(member, door.now())
    return redirect(target, HTTPStatus.SEE_OTHER)


@pages.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """Good-bye; the session ends here and in the database."""
    sessions.leave()
    return redirect("/auth/sign-in", HTTPStatus.SEE_OTHER)


@pages.route("/confirm", methods=["GET", "POST"])
@signed_in
@guarded
def confirm() -> ResponseReturnValue:
    """Is it still you?"""
    form = Confirm()
    member = door.member()
    if not form.is_submitted():
        form.next.data = safe_next(request.args.get("next", "/"))
        return render_template("signing/confirm.html", form=form)
    if form.validate():
        here = (door.engine(), member.id, form.password.data or "")
        if signing_in.again_by_password(*here, client=door.client(), now=door.now()):
            sessions.step_up(door.now())
            flash(_("Thank you. For the next ten minutes you will not be asked again."))
            return redirect(safe_next(form.next.data or "/"), HTTPStatus.SEE_OTHER)
        form.password.errors = [_("That is not your password.")]
    return render_template("signing/confirm.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
