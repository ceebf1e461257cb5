"""In and out: by password, then by a second factor if there is one; by passkey; and again before what is dangerous."""

from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import choices, factors, passkeys, signing_in
from smtpy.admin.change import Change
from smtpy.admin.refusals import Invalid
from smtpy.admin.sessions import Member
from smtpy.notices import letters as texts
from web import beside, ceremonies, door, figures, letters, sessions
from web.agents import described
from web.auth import public, safe_next, signed_in
from web.forms.signing import Code, Confirm, Passkey, SignIn
from web.i18n import _
from web.limits import guarded, slowed
from web.pages.signing import pages
from web.pages.welcome import way_in
from web.toasts import tell
from web.told import told

HALF = "half"  # in the session: who has given their password, and has a second factor to show
CHALLENGE = timedelta(minutes=10)  # for which it is waited for


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
        return _sign_in_page(form)
    if form.validate():
        email, password = form.email.data or "", form.password.data or ""
        member = signing_in.by_password(door.engine(), email, password)
        if member is not None:
            return _by_password(member, password, safe_next(form.next.data or "/"))
        figures.refused("password")
        beside.start(partial(signing_in.failed_for, door.engine(), email, client=door.client(), now=door.now()))
        form.password.errors = [_("That address and that password do not fit together.")]
    return _sign_in_page(form), HTTPStatus.UNPROCESSABLE_ENTITY


def _sign_in_page(form: SignIn) -> str:
    with door.operating() as rows:
        mode = choices.sign_up(rows)
    return render_template("signing/sign_in.html", form=form, sign_up=mode, passkey=Passkey(next=form.next.data))


def _by_password(member: Member, password: str, target: str) -> ResponseReturnValue:
    with door.personal(member.email) as c:
        signing_in.keep_up(c, member, password)
    if member.has_totp:
        session[HALF] = {"user": member.uuid, "email": member.email, "at": door.now().isoformat(), "next": target}
        return redirect(url_for("signing.second_factor"), HTTPStatus.SEE_OTHER)
    with door.personal(member.email) as c:
        is_new = came(c, member, "password")
    return let_in(member, target, is_new=is_new)


def came(c: Change, member: Member, how: str) -> bool:
    """Note that they came in; whether with a browser that is new."""
    c.actor = f"web:{member.email}"
    return signing_in.came(c, member, how=how, device=described(request.headers.get("User-Agent", "")))


def let_in(member: Member, target: str, *, is_new: bool = False) -> ResponseReturnValue:
    """They have shown who they are: a session of theirs, and on to where they wanted to go."""
    sessions.enter(member, door.now())
    if is_new:
        device = described(request.headers.get("User-Agent", ""))
        letter = texts.new_device(_, letters.link("settings.security"), device, door.client())
        letters.send_beside(letter, member.email)
    return redirect(way_in(member, target), HTTPStatus.SEE_OTHER)


@pages.route("/second-factor", methods=["GET", "POST"])
@public
@guarded
def second_factor() -> ResponseReturnValue:
    """A code, after the password."""
    half: dict[str, str] = session.get(HALF, {})
    begun = datetime.fromisoformat(half["at"]) if half else door.now()
    member = signing_in.by_uuid(door.engine(), half["user"], begun) if half else None
    if member is None or door.now() - begun > CHALLENGE:
        return _start_again(_("That took a while. Please start again."))
    form = Code()
    if not form.is_submitted():
        return render_template("signing/second_factor.html", form=form)
    if form.validate():
        how, is_new = _try_code(member, form.code.data or "", begun)
        if how == "locked":
            return _start_again(_("Five wrong codes. Start again with your password."))
        if how:
            if how == "recovery":
                letters.tell_changed(member, "recovery.used")
            return let_in(member, safe_next(half["next"]), is_new=is_new)
        form.code.errors = [told(factors.WRONG.message)]
    return render_template("signing/second_factor.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY


def _start_again(words: str) -> ResponseReturnValue:
    session.pop(HALF, None)
    tell(words, "bad")
    return redirect(url_for("signing.sign_in"), HTTPStatus.SEE_OTHER)


def _try_code(member: Member, code: str, begun: datetime, act: str = "") -> tuple[str | None, bool]:
    """How it was accepted, if it was, and whether from a new device; "locked": too many codes at this challenge."""
    here: dict[str, Any] = {"client": door.client(), "now": door.now()}
    number = signing_in.may_try(door.engine(), member.id, "code", begun, **here)
    if number is None:
        figures.refused("code")
        return "locked", False
    with door.personal(member.email) as c:
        how = factors.accept(c, member.id, code)
        is_new = False
        if how and act:
            c.note(act, f"user {member.email}", None, {"how": how})
        elif how:
            is_new = came(c, member, f"password, {how}")
    if how:
        signing_in.forgive(door.engine(), number)
    else:
        figures.refused("code")
    return how, is_new


@pages.post("/passkey/options")
@public
def passkey_options() -> ResponseReturnValue:
    """What the browser needs to ask for a passkey; the challenge stays here."""
    return ceremonies.begun("sign-in", *passkeys.to_sign_in(ceremonies.site()))


@pages.post("/passkey")
@public
@slowed
def passkey() -> ResponseReturnValue:
    """In by passkey: it takes the screen lock or a fingerprint, so nothing else is asked."""
    form = Passkey()
    try:
        with door.personal("passkey") as c:
            member = passkeys.accept(c, form.credential.data or "", ceremonies.challenge("sign-in"), ceremonies.site())
            is_new = came(c, member, "passkey")
    except Invalid as refusal:
        figures.refused("passkey")
        tell(told(refusal.message), "bad")
        return redirect(url_for("signing.sign_in", next=safe_next(form.next.data or "/")), HTTPStatus.SEE_OTHER)
    return let_in(member, safe_next(form.next.data or "/"), is_new=is_new)


@pages.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """Good-bye; the session ends here and in the database."""
    sessions.leave()
    return redirect(url_for("signing.sign_in"), HTTPStatus.SEE_OTHER)


@pages.get("/left")
@public
def left() -> ResponseReturnValue:
    """The account is deleted."""
    return render_template("signing/left.html")


@pages.route("/confirm", methods=["GET", "POST"])
@signed_in
@guarded
def confirm() -> ResponseReturnValue:
    """Is it still you?"""
    form = Confirm()
    if not form.is_submitted():
        form.next.data = safe_next(request.args.get("next", "/"))
        return _confirm_page(form)
    if form.validate() and _is_still(door.member(), form):
        return _confirmed(form.next.data or "/")
    return _confirm_page(form), HTTPStatus.UNPROCESSABLE_ENTITY


def _confirm_page(form: Confirm) -> str:
    with door.reading() as rows:
        has_passkey = bool(passkeys.of_member(rows, door.member().id))
    return render_template(
        "signing/confirm.html", form=form, passkey=Passkey(next=form.next.data), has_passkey=has_passkey
    )


def _is_still(member: Member, form: Confirm) -> bool:
    here: dict[str, Any] = {"client": door.client(), "now": door.now()}
    if form.code.data:
        how, _new = _try_code(member, form.code.data, door.now() - timedelta(minutes=15), "user.confirm")
        form.code.errors = [] if how in ("totp", "recovery") else [told(factors.WRONG.message)]
        return not form.code.errors
    if signing_in.again_by_password(door.engine(), member.id, form.password.data or "", **here):
        return True
    figures.refused("password")
    form.password.errors = [_("That is not your password.")]
    return False


@pages.post("/confirm/passkey")
@signed_in
@slowed
def confirm_passkey() -> ResponseReturnValue:
    """It is: by one of their own passkeys."""
    form = Passkey()
    try:
        with door.personal(door.member().email) as c:
            challenge = ceremonies.challenge("sign-in")
            member = passkeys.accept(c, form.credential.data or "", challenge, ceremonies.site())
            if member.id != door.member().id:
                raise passkeys.REFUSED
            c.note("user.confirm", f"user {member.email}", None, {"how": "passkey"})
    except Invalid as refusal:
        figures.refused("passkey")
        tell(told(refusal.message), "bad")
        return redirect(url_for("signing.confirm", next=safe_next(form.next.data or "/")), HTTPStatus.SEE_OTHER)
    return _confirmed(form.next.data or "/")


def _confirmed(target: str) -> ResponseReturnValue:
    sessions.step_up(door.now())
    return redirect(safe_next(target), HTTPStatus.SEE_OTHER)
