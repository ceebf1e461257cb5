"""The form of a new mailbox."""

from flask_wtf import FlaskForm
from wtforms import EmailField
from wtforms.validators import InputRequired

from web.i18n import _l


class NewMailbox(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """Where mail is read."""

    address = EmailField(
        _l("Address"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "email", "maxlength": 254}
    )
