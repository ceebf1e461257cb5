"""Name, language, theme, and the address of the account."""

from http import HTTPStatus

from flask import g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import accounts, profile, read
from smtpy.admin.refusals import Refusal
from smtpy.notices import letters as texts
from web import door, letters
from web.auth import signed_in, sudo
from web.forms import refusals
from web.forms.settings import Email, Profile
from web.i18n import _
from web.limits import asking
from web.pages.settings import pages
from web.toasts import tell


@pages.route("", methods=["GET", "POST"], endpoint="profile")
@signed_in
def profile_() -> ResponseReturnValue:
    """Who they are here."""
    member = door.member()
    form = Profile(data={"name": member.name, "language": member.language, "theme": member.theme})
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        chosen = {"language": form.language.data, "theme": profile.Theme(form.theme.data)}
        try:
            with door.change() as c:
                profile.set_(c, member.id, name=form.name.data or "", **chosen)
        except Refusal as refusal:
            status = HTTPStatus(refusals.show(form, refusal, "name"))
        else:
            g.language = form.language.data or g.language
            tell(_("Your profile is saved."))
            return redirect(url_for("settings.profile"), HTTPStatus.SEE_OTHER)
    return render_template("settings/profile.html", form=form), status


@pages.route("/e-mail", methods=["GET", "POST"])
@sudo
@asking
def email() -> ResponseReturnValue:
    """Another address, once a letter there has been answered. Whether somebody has it already is not told."""
    form = Email()
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        try:
            return _ask(form.email.data.strip())
        except Refusal as refusal:
            status = HTTPStatus(refusals.show(form, refusal, "email"))
    return render_template("settings/email.html", form=form), status


def _ask(address: str) -> ResponseReturnValue:
    host, address = door.settings().hostname, str(read.address("email", address))
    if not letters.post().answers():
        tell(_("No letter can be sent just now. Try again in a few minutes."), "bad")
        return redirect(url_for("settings.email"), HTTPStatus.SEE_OTHER)
    with door.personal() as c:
        token = accounts.ask_for_address(c, door.member().id, address)
    if token:
        letters.send_beside(texts.address(_, letters.link("signing.verify", token=token), host), address)
    else:
        letters.send_beside(texts.have_one(_, letters.link("signing.sign_in"), host), address)
    tell(_("A letter is on its way to %(email)s. The address changes when you use its link.", email=address))
    return redirect(url_for("settings.profile"), HTTPStatus.SEE_OTHER)
