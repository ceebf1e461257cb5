"""The forms of the first hour."""

from wtforms import EmailField, StringField
from wtforms.validators import Length

from web.forms import Form
from web.forms.domains import NEEDED
from web.i18n import _l


class Box(Form):
    """Where mail is to be read."""

    address = EmailField(
        _l("Your mailbox"), [NEEDED], render_kw={"class": "code", "maxlength": 320, "autocomplete": "email"}
    )


class First(Form):
    """The first alias."""

    local = StringField(
        _l("Name"),
        [NEEDED, Length(max=64)],
        render_kw={"class": "code", "autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"},
    )
    note = StringField(_l("What is it for?"), [Length(max=200)], render_kw={"placeholder": _l("the bookshop")})
