"""The form of a new mailbox."""

from wtforms import EmailField
from wtforms.validators import InputRequired

from web.forms import Form
from web.i18n import _l


class NewMailbox(Form):
    """Where mail is read."""

    address = EmailField(
        _l("Address"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "email", "maxlength": 254}
    )
