"""The forms of a new alias, and of what may be changed of one."""

from collections.abc import Iterable
from datetime import UTC, datetime, time

from wtforms import BooleanField, DateField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from smtpy.admin import names
from smtpy.admin.mailboxes import MailboxView
from smtpy.directory.entries import WhenOff
from web.forms import Form
from web.forms.meanwhile import Seen
from web.i18n import _, _l

KINDS = tuple(
    SelectChoice(*each)
    for each in (
        ("words", _l("Random words")),
        ("site", _l("From a website")),
        ("characters", _l("Random characters")),
        ("uuid", _l("UUID")),
        ("own", _l("A name of your own")),
    )
)
WHEN_OFF = tuple(
    SelectChoice(*each)
    for each in (
        (WhenOff.REJECT.value, _l("Refuse: the sender is told that the address does not work")),
        (WhenOff.DEFER.value, _l("Put off: the sender tries again later, for some days")),
        (WhenOff.DROP.value, _l("Drop: the sender is told nothing, and the mail is gone")),
    )
)
MAKERS = {"words": names.words, "characters": names.characters, "uuid": names.uuid}


def mailbox_choices(found: Iterable[MailboxView]) -> list[SelectChoice]:
    """Mailboxes to choose from; of those that get nothing yet it is said."""
    waiting = _("%(address)s (not verified yet)")
    return [
        SelectChoice(each.uuid, each.address if each.verified_at else waiting % {"address": each.address})
        for each in found
    ]


class Checkboxes(SelectMultipleField):  # type: ignore[misc]  # WTForms has no types
    """Several of some, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _said(field: "StringField") -> list[str]:
    """Tags, as somebody writes them."""
    return [word for word in (field.data or "").split(",") if word.strip()]


class _Kept(Form):
    """What both forms ask."""

    mailboxes = Checkboxes(_l("Mail goes to"))
    note = StringField(_l("Note"), [Length(max=1000)], render_kw={"maxlength": 1000, "autocomplete": "off"})
    tags = StringField(_l("Tags"), [Length(max=1000)], render_kw={"list": "known-tags", "autocomplete": "off"})
    expires = DateField(_l("Works until"), [Optional()])

    def expiry(self) -> datetime | None:
        """The end of the day that was chosen, UTC: "until" has that day in it."""
        return datetime.combine(self.expires.data, time(23, 59, 59), UTC) if self.expires.data else None

    def words(self) -> list[str]:
        """The tags."""
        return _said(self.tags)


class NewAlias(_Kept):
    """A new alias. What is suggested is sent along, so that people get what they saw."""

    kind = RadioField(_l("Address"), choices=list(KINDS), default="words")
    words_name = StringField()
    characters_name = StringField()
    uuid_name = StringField()
    site = StringField(_l("Website"), render_kw={"autocomplete": "off", "placeholder": "bookshop.example"})
    own = StringField(_l("Name"), render_kw={"autocomplete": "off", "spellcheck": "false", "class": "code"})
    domain = SelectField(_l("Domain"))

    def suggest(self) -> None:
        """Names, where there are none yet."""
        for kind, make in MAKERS.items():
            field = self[f"{kind}_name"]
            field.data = field.data or make()

    def local(self) -> str:
        """The local part that is asked for."""
        match self.kind.data:
            case "own":
                return (self.own.data or "").strip()
            case "site":
                return names.site(self.site.data or "")
            case kind:
                return self[f"{kind}_name"].data or MAKERS[kind]()


class AliasSettings(_Kept, Seen):
    """What may be changed of an alias."""

    when_off = SelectField(_l("While it is off"), choices=list(WHEN_OFF))
    pinned = BooleanField(_l("Pinned: it stands before the others"))
