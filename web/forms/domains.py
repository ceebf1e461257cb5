"""The forms of domains."""

from collections.abc import Iterable

from wtforms import BooleanField, IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from web.forms import Form
from web.forms.meanwhile import Seen
from web.i18n import _l

NEEDED = InputRequired(_l("Fill this in."))
_PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "class": "code"}


def chosen(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Choices as WTForms has them: value and label."""
    return [SelectChoice(value, label) for value, label in pairs]


ON_DMARC = (
    ("refuse", _l("Refuse it: the sender is told")),
    ("hold", _l("Hold it until an operator decides")),
    ("tag", _l("Deliver it, marked as doubtful")),
    ("deliver", _l("Deliver it as if nothing were wrong")),
)
WHEN_OFF = (
    ("reject", _l("Refuse for good: the address does not exist any more")),
    ("defer", _l("Put off: the sender tries again for some days")),
    ("drop", _l("Take it and throw it away: the sender learns nothing")),
)
SEPARATORS = (("", _l("none")), *((each, each) for each in "+-_=."))


class Boxes(SelectMultipleField):  # type: ignore[misc]  # WTForms has no types
    """Several of a few, as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class Add(Form):
    """A domain, as people paste one."""

    domain = StringField(
        _l("Domain"),
        [NEEDED],
        render_kw={**_PLAIN, "maxlength": 2000, "placeholder": "example.org", "inputmode": "url"},
    )


class Rule(Form):
    """A pattern and where its mail goes."""

    pattern = StringField(
        _l("Pattern"), [NEEDED], render_kw={**_PLAIN, "maxlength": 200, "placeholder": "shop-[a-z0-9]+"}
    )
    to = Boxes(_l("Goes to"), [NEEDED])


class CatchAll(Form):
    """Where mail to every other address goes."""

    to = Boxes(_l("Goes to"), [NEEDED])


class Settings(Seen):
    """What an owner may choose of a domain."""

    role_mailbox = SelectField(_l("Mail to postmaster and abuse goes to"))
    extension_separator = SelectField(_l("Separator of extensions"), choices=chosen(SEPARATORS))
    max_megabytes = IntegerField(
        _l("Largest message, in MB"), [Optional(), NumberRange(1, 1000)], render_kw={"inputmode": "numeric"}
    )
    when_off = SelectField(_l("While an address is switched off"), choices=chosen(WHEN_OFF))
    on_reject = SelectField(_l("Forged, and the author's domain asks to reject"), choices=chosen(ON_DMARC))
    on_quarantine = SelectField(_l("Forged, and the author's domain asks for suspicion"), choices=chosen(ON_DMARC))


class Trash(Form):
    """The name again, by hand."""

    name = StringField(_l("Type the name of the domain to confirm"), [NEEDED], render_kw=_PLAIN)


class Sure(Form):
    """A box to tick before what has consequences."""

    sure = BooleanField(_l("I have read this"), [NEEDED])
