"""The form of an announcement. Times are UTC's: its readers may be anywhere."""

from wtforms import DateTimeLocalField, RadioField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from smtpy.admin.announcements import Level
from smtpy.admin.read import MAX_ANNOUNCEMENT
from web.forms import Form
from web.i18n import _l

LEVELS = ((Level.INFO, _l("a word to all")), (Level.WARNING, _l("a warning")))
FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class Announce(Form):
    """What is told, how, and for how long."""

    text = TextAreaField(
        _l("Text"),
        [InputRequired(_l("Fill this in.")), Length(max=MAX_ANNOUNCEMENT)],
        render_kw={"rows": 4, "maxlength": MAX_ANNOUNCEMENT},
    )
    level = RadioField(
        _l("Looks like"),
        choices=[SelectChoice(level.value, label) for level, label in LEVELS],
        default=Level.INFO.value,
    )
    shown_from = DateTimeLocalField(_l("From"), [Optional()], format=FORMATS)
    shown_until = DateTimeLocalField(_l("Until"), [Optional()], format=FORMATS)
