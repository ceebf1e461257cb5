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


class Address(Form):
    """An address that a letter is to go to."""

    email = EmailField(_l("E-mail address"), [NEEDED], render_kw={"autocomplete": "email", "maxlength": 254})


class NewPassword(Form):
    """Another password; once is enough where it can be shown."""

    password = PasswordField(_l("New password"), [NEEDED], render_kw={"autocomplete": "new-password", "maxlength": 128})


class Join(NewPassword):
    """What a new account needs."""

    name = StringField(_l("Your name"), render_kw={"autocomplete": "name", "maxlength": 200})


class First(Join):
    """The same, where the link is for no address yet."""

    email = EmailField(_l("E-mail address"), [NEEDED], render_kw={"autocomplete": "username", "maxlength": 254})


class Nothing(Form):
    """A button."""


class Passkey(Form):
    """What a browser says of a passkey, as JSON; a script of ours fills it in."""

    credential = HiddenField()
    next = HiddenField()
