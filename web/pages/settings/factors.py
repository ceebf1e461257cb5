"""Second factors: an authenticator app with its recovery codes, and passkeys. Each change takes sudo."""

from base64 import b64decode, b64encode
from http import HTTPStatus

import segno
from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from smtpy.admin import factors, passkeys
from smtpy.admin.refusals import Invalid, Refusal
from web import ceremonies, door, letters
from web.agents import described
from web.auth import sudo
from web.forms import refusals
from web.forms.settings import AppCode, PasskeyName
from web.i18n import _
from web.limits import slowed
from web.pages.settings import pages
from web.toasts import tell

SEED = "seed"  # in the session, sealed: of an app that has not shown a code yet


def _to_security() -> ResponseReturnValue:
    return redirect(url_for("settings.security"), HTTPStatus.SEE_OTHER)


@pages.post("/security/app/start")
@sudo
def totp_start() -> ResponseReturnValue:
    """A new seed for an authenticator app, which is not in force yet."""
    sealed = door.house().vault.seal(factors.new_seed().encode())
    session[SEED] = b64encode(sealed).decode()
    return redirect(url_for("settings.totp"), HTTPStatus.SEE_OTHER)


@pages.route("/security/app", methods=["GET", "POST"])
@sudo
@slowed
def totp() -> ResponseReturnValue:
    """The QR code to scan, and the code to show that it was."""
    member = door.member()
    if SEED not in session:
        return _to_security()
    seed = door.house().vault.open(b64decode(session[SEED])).decode()
    form = AppCode()
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        try:
            with door.personal() as c:
                codes = factors.turn_on(c, member.id, seed, form.code.data)
        except Invalid as refusal:
            status = HTTPStatus(refusals.show(form, refusal, "code"))
        else:
            session.pop(SEED)
            letters.tell_changed(member, "totp.on")
            return render_template("settings/codes.html", codes=codes, is_new=True)
    uri = factors.uri(seed, email=member.email, host=door.settings().hostname)
    return render_template("settings/totp.html", form=form, seed=seed, qr=_qr(uri), uri=uri), status


def _qr(text: str) -> Markup:
    """An inline SVG; dark on white in every theme, as scanners want it."""
    made = segno.make(text, error="m", micro=False)
    drawn = made.svg_inline(scale=4, border=3, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True)
    return Markup(drawn)  # noqa: S704 - segno's own, from numbers


@pages.post("/security/app/remove")
@sudo
def totp_remove() -> ResponseReturnValue:
    """No codes any more."""
    with door.personal() as c:
        factors.turn_off(c, door.member().id)
    letters.tell_changed(door.member(), "totp.off")
    tell(_("The authenticator app is removed. Your password alone signs you in."))
    return _to_security()


@pages.post("/security/codes")
@sudo
def codes_renew() -> ResponseReturnValue:
    """Ten new recovery codes, shown this once: they are nowhere to be read again."""
    member = door.member()
    if not member.has_totp:
        return _to_security()
    with door.personal() as c:
        codes = factors.renew_codes(c, member.id)
    letters.tell_changed(member, "recovery")
    return render_template("settings/codes.html", codes=codes, is_new=False)


@pages.post("/security/passkeys/options")
@sudo
def passkey_options() -> ResponseReturnValue:
    """What the browser needs to make a passkey."""
    with door.reading() as rows:
        made = passkeys.to_add(rows, door.member(), ceremonies.site())
    return ceremonies.begun("add", *made)


@pages.route("/security/passkeys/add", methods=["GET", "POST"])
@sudo
def passkey_add() -> ResponseReturnValue:
    """A new passkey."""
    form, member = PasskeyName(data={"name": described(request.headers.get("User-Agent", ""))}), door.member()
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        try:
            answer, challenge = form.credential.data or "", ceremonies.challenge("add")
            with door.personal() as c:
                passkeys.add(c, member, answer, challenge, ceremonies.site(), form.name.data)
        except Refusal as refusal:
            form.credential.data = ""
            status = HTTPStatus(refusals.show(form, refusal, "name"))
        else:
            letters.tell_changed(member, "passkey.add")
            tell(_("The passkey is added. It signs you in by itself."))
            return _to_security()
    return render_template("settings/passkey.html", form=form), status


@pages.route("/security/passkeys/<uuid:passkey>", methods=["GET", "POST"])
@sudo
def passkey(passkey: str) -> ResponseReturnValue:
    """Another name for one, or remove it."""
    with door.reading() as rows:
        found = passkeys.find(rows, str(passkey))
    form = PasskeyName(data={"name": found.name})
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        try:
            with door.personal() as c:
                passkeys.rename(c, str(passkey), form.name.data)
        except Refusal as refusal:
            status = HTTPStatus(refusals.show(form, refusal, "name"))
        else:
            tell(_("The passkey has another name."))
            return _to_security()
    return render_template("settings/passkey.html", form=form, passkey=found), status


@pages.post("/security/passkeys/<uuid:passkey>/remove")
@sudo
def passkey_remove(passkey: str) -> ResponseReturnValue:
    """It opens nothing here any more."""
    with door.personal() as c:
        gone = passkeys.delete(c, str(passkey))
    letters.tell_changed(door.member(), "passkey.delete")
    tell(_("The passkey %(name)s is removed. Remove it from your device, too.", name=gone.name))
    return _to_security()
