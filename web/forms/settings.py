"""The forms of a member's settings."""

from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from web.forms import Form
from web.forms.signing import NEEDED
from web.i18n import _, _l, languages


class Profile(Form):
    """Name, language, theme."""

    name = StringField(_l("Your name"), render_kw={"autocomplete": "name", "maxlength": 200})
    language = SelectField(_l("Language"))
    theme = SelectField(_l("Theme"))

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.language.choices = _choices({"": _("As the browser asks"), **languages()})
        self.theme.choices = _choices({"auto": _("As the system has it"), "light": _("Light"), "dark": _("Dark")})


def _choices(words: dict[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in words.items()]


class Email(Form):
    """Another address for the account."""

    email = EmailField(_l("New e-mail address"), [NEEDED], render_kw={"autocomplete": "email", "maxlength": 254})


class Password(Form):
    """Another password; that it is still them was asked before."""

    password = PasswordField(_l("New password"), [NEEDED], render_kw={"autocomplete": "new-password", "maxlength": 128})


class AppCode(Form):
    """The first code of an authenticator app."""

    code = StringField(
        _l("The six digits it shows"),
        [NEEDED],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code", "maxlength": 8},
    )


class PasskeyName(Form):
    """What a passkey is called."""

    name = StringField(_l("Name"), [NEEDED], render_kw={"maxlength": 100, "autocomplete": "off"})
    credential = HiddenField()
