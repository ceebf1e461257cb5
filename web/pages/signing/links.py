"""What begins with a link that was sent: an account, a forgotten password, an address. GET shows, POST uses it up.

What is answered to who asks for a letter is the same whether there is an account or not, and so is the time it takes.
"""

from http import HTTPStatus

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import accounts, choices, links, read
from smtpy.admin.accounts import Newcomer
from smtpy.admin.choices import SignUp
from smtpy.admin.links import Link
from smtpy.admin.refusals import Invalid, NotFound, Refusal
from smtpy.admin.sessions import Member
from smtpy.notices import letters as texts
from smtpy.notices.letters import Letter
from web import door, letters, sessions
from web.auth import ask_to_sign_in, public
from web.forms import refusals
from web.forms.signing import Address, First, Join, NewPassword, Nothing
from web.i18n import _, speak
from web.limits import asking, slowed
from web.pages.signing import pages
from web.pages.signing.doors import came, let_in
from web.toasts import tell
from web.told import told

Purpose = links.Purpose


@pages.errorhandler(NotFound)
def gone(refusal: NotFound) -> ResponseReturnValue:
    """A link that is no good any more; which of the reasons is nobody's business."""
    return render_template("signing/gone.html", words=told(refusal.message)), HTTPStatus.NOT_FOUND


@pages.route("/forgot", methods=["GET", "POST"])
@public
@asking
def forgot() -> ResponseReturnValue:
    """A letter to who has forgotten their password."""
    form = Address()
    if not form.validate_on_submit():
        return render_template("signing/forgot.html", form=form), _status(form)
    if not letters.post().answers():
        return _cannot_send("signing/forgot.html", form)
    email = form.email.data.strip()
    letters.find_out_and_send(lambda: _to_who_forgot(email))
    return render_template("signing/sent.html", email=form.email.data, again=url_for("signing.forgot"))


def _to_who_forgot(email: str) -> tuple[Letter, str] | None:
    with door.personal("forgot") as c:
        found = accounts.forgot(c, email)
    if found is None:
        return None
    member, token = found
    speak(member.language)
    letter = texts.reset(_, letters.link("signing.reset", token=token), door.settings().hostname)
    return letter, member.email  # as it stands in the account, whatever was typed


@pages.route("/reset/<token>", methods=["GET", "POST"])
@public
@slowed
def reset(token: str) -> ResponseReturnValue:
    """Another password; then they sign in with it, and with their second factor."""
    _look(token, Purpose.RESET)
    form = NewPassword()
    if form.validate_on_submit():
        try:
            with door.personal("link") as c:
                member = accounts.reset(c, token, form.password.data, words=(door.settings().hostname,))
        except Refusal as refusal:
            status = refusals.show(form, refusal, "password")
            return render_template("signing/reset.html", form=form), status
        letters.tell_changed(member, "password")
        tell(_("Your password is set, and you are signed out everywhere. Sign in with it."))
        return redirect(url_for("signing.sign_in"), HTTPStatus.SEE_OTHER)
    return render_template("signing/reset.html", form=form), _status(form)


@pages.route("/sign-up", methods=["GET", "POST"])
@public
@asking
def sign_up() -> ResponseReturnValue:
    """A letter to who wants an account, or has one."""
    with door.operating() as session:
        mode = choices.sign_up(session)
    if mode is SignUp.CLOSED:
        abort(404)
    form = Address()
    if mode is SignUp.INVITATION or not form.validate_on_submit():
        return render_template("signing/sign_up.html", form=form, mode=mode), _status(form)
    email = form.email.data.strip()
    try:
        email = str(read.address("email", email))  # as SMTP takes it
    except Invalid as refusal:
        status = refusals.show(form, refusal, "email")
        return render_template("signing/sign_up.html", form=form, mode=mode), status
    if not letters.post().answers():
        return _cannot_send("signing/sign_up.html", form, mode=mode)
    letters.find_out_and_send(lambda: _to_who_signs_up(email))
    return render_template("signing/sent.html", email=email, again=url_for("signing.sign_up"))


def _to_who_signs_up(email: str) -> tuple[Letter, str]:
    host = door.settings().hostname
    with door.personal("sign-up") as c:
        token = accounts.sign_up(c, email)
    if token is None:
        return texts.have_one(_, letters.link("signing.sign_in"), host), email
    return texts.sign_up(_, letters.link("signing.verify", token=token), host), email


@pages.route("/first/<token>", methods=["GET", "POST"])
@public
@slowed
def first(token: str) -> ResponseReturnValue:
    """The first administrator of this service."""
    link = _look(token, Purpose.ADMIN)
    return _join(token, link, First(), _("Welcome to SMTPy"))


@pages.route("/invited/<token>", methods=["GET", "POST"])
@public
@slowed
def invited(token: str) -> ResponseReturnValue:
    """Somebody was invited."""
    return _join(token, _look(token, Purpose.INVITE), Join(), _("You are invited"))


@pages.route("/verify/<token>", methods=["GET", "POST"])
@public
@slowed
def verify(token: str) -> ResponseReturnValue:
    """An address is shown to be theirs: of a new account, or a new one of an account there is."""
    link = _look(token, Purpose.VERIFY)
    if link.user_id is None:
        return _join(token, link, Join(), _("Make your account"))
    visitor = sessions.visit().member
    if visitor is None:
        return ask_to_sign_in()
    if visitor.id != link.user_id:  # whoever reads that mailbox is not yet who has the account
        raise links.GONE
    form = Nothing()
    if form.validate_on_submit():
        with door.personal("link") as c:
            before, member = accounts.confirm_address(c, token)
        letters.tell_changed(member, "email", to=before)
        tell(_("Your address is %(email)s now.", email=member.email))
        return redirect(url_for("home.dashboard"), HTTPStatus.SEE_OTHER)
    return render_template("signing/verify.html", form=form, link=link)


def _look(token: str, purpose: "links.Purpose") -> Link:
    with door.operating() as session:
        return links.find(session, token, purpose, door.now())


def _join(token: str, link: Link, form: Join, title: str) -> ResponseReturnValue:
    status = _status(form)
    if form.validate_on_submit():
        try:
            member = _joined(token, link, form)
        except Refusal as refusal:
            status = refusals.show(form, refusal, "password")
        else:
            if member.has_totp:  # an account that was there before; its second factor stays
                return redirect(url_for("signing.sign_in"), HTTPStatus.SEE_OTHER)
            return let_in(member, url_for("home.dashboard"))
    return render_template("signing/join.html", form=form, link=link, title=title), status


def _joined(token: str, link: Link, form: Join) -> Member:
    email = form.email.data if isinstance(form, First) else ""
    who = Newcomer(form.name.data or "", form.password.data, email)
    with door.governing("link") as c:
        member = accounts.join(c, token, link.purpose, who, words=(door.settings().hostname,))
        came(c, member, "link")
    return member


def _cannot_send(template: str, form: Address, **values: object) -> ResponseReturnValue:
    form.email.errors = [_("No letter can be sent just now. Try again in a few minutes.")]
    return render_template(template, form=form, **values), HTTPStatus.SERVICE_UNAVAILABLE


def _status(form: Nothing | Address | NewPassword) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
