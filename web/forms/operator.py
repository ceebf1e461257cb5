"""Forms of administrators: whom to invite, who may make an account."""

from wtforms import BooleanField, EmailField, RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from smtpy.admin.choices import SignUp
from web.forms import Form
from web.i18n import _l

ROLES = (("user", _l("a user")), ("admin", _l("an administrator")))
SIGN_UP = (
    (SignUp.OPEN, _l("Everybody who shows that an address is theirs")),
    (SignUp.INVITATION, _l("Who is invited")),
    (SignUp.CLOSED, _l("Nobody")),
)


class Invite(Form):
    """Who is to come, and as what."""

    email = EmailField(
        _l("E-mail address"), [InputRequired(_l("Fill this in.")), Length(max=320)], render_kw={"autocomplete": "off"}
    )
    role = RadioField(_l("They become"), choices=[SelectChoice(value, label) for value, label in ROLES], default="user")
    send = BooleanField(_l("Send them the link"), default=True)


class Mode(Form):
    """Who may make an account."""

    sign_up = RadioField(
        _l("Who may make an account"), choices=[SelectChoice(mode.value, label) for mode, label in SIGN_UP]
    )
