"""The forms of signing in."""

from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from web.forms import Form
from web.i18n import _l

NEEDED = InputRequired(_l("Fill this in."))


class SignIn(Form):
    """An address and its password. The address also takes a passkey that the browser offers."""

    email = EmailField(
        _l("E-mail address"), [NEEDED], render_kw={"autocomplete": "username webauthn", "maxlength": 254}
    )
    password = PasswordField(_l("Password"), [NEEDED], render_kw={"autocomplete": "current-password"})
    next = HiddenField()


class Confirm(Form):
    """Their password, or a code, once more."""

    password = PasswordField(_l("Password"), render_kw={"autocomplete": "current-password"})
    code = StringField(
        _l("Code of your authenticator app"),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code", "maxlength": 16},
    )
    next = HiddenField()


class Code(Form):
    """A code of an authenticator app, or a recovery code."""

    code = StringField(
        _l("Code"),
        [NEEDED],
        render_kw={"autocomplete": "one-time-code", "class": "code", "maxlength": 32, "spellcheck": "false"},
    )
