"""The forms of a member's settings."""

from collections.abc import Mapping

from wtforms import EmailField, HiddenField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from smtpy.admin.api_keys import Scope
from web.forms import Form
from web.forms.signing import NEEDED
from web.i18n import N_, _, _l, languages


class Profile(Form):
    """Name, language, theme."""

    name = StringField(_l("Your name"), render_kw={"autocomplete": "name", "maxlength": 200})
    language = SelectField(_l("Language"))
    theme = SelectField(_l("Theme"))

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.language.choices = _choices({"": _("As the browser asks"), **languages()})
        self.theme.choices = _choices({"auto": _("As the system has it"), "light": _("Light"), "dark": _("Dark")})


# What an API key may do, as smtpy.admin.api_keys names it.
SCOPES = {
    Scope.ALIASES_READ: N_("see aliases"),
    Scope.ALIASES_WRITE: N_("see, make and change aliases"),
    Scope.DOMAINS_READ: N_("see domains"),
    Scope.DOMAINS_WRITE: N_("see, add and change domains"),
    Scope.MAILBOXES_READ: N_("see mailboxes"),
    Scope.MAILBOXES_WRITE: N_("see, add and change mailboxes"),
    Scope.MESSAGES_READ: N_("see the log of messages"),
}


def _choices(words: Mapping[str, str]) -> list[SelectChoice]:
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


class NewKey(Form):
    """What an API key is called, what it may do, how long it lasts."""

    name = StringField(_l("Name"), [NEEDED], render_kw={"maxlength": 100, "autocomplete": "off"})
    scopes = SelectMultipleField(
        _l("It may"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), default=["aliases:write"]
    )
    days = SelectField(_l("It lasts"), default="365")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.scopes.choices = _choices({scope: _(words) for scope, words in SCOPES.items()})
        self.days.choices = _choices(
            {"30": _("30 days"), "90": _("90 days"), "365": _("a year"), "0": _("until it is revoked")}
        )


class Leave(Form):
    """The address of the account, typed."""

    email = EmailField(_l("Type the address of your account to confirm"), [NEEDED], render_kw={"autocomplete": "off"})
