"""Two people, or one in two tabs, change the same thing: the second is told what the first did before it is undone."""

import hashlib

from wtforms import Field, HiddenField

from web.forms import Form
from web.i18n import _

OURS = {"seen", "csrf_token"}
CHOSEN = ("SelectField", "Checkboxes", "Boxes")


class Seen(Form):
    """A form that says what it was filled with."""

    seen = HiddenField()


def fill(form: Seen, now: Seen) -> list[tuple[str, str]]:
    """Have `form` say what it is filled with: `now`, the same form with what is in force.

    If that has changed since `form` was opened: what is in force where the form has something else, label and words.
    """
    opened, form.seen.data = form.seen.data, _in_short(now)
    if not opened or opened == form.seen.data:
        return []
    asked = [field for field in now if field.name not in OURS]
    return [(field.label.text, _words(field)) for field in asked if _said(field) != _said(form[field.name])]


def _said(field: Field) -> list[str]:
    """What it holds, however it came and in whatever order."""
    data = field.data if isinstance(field.data, list) else [field.data]
    return sorted("" if each is None else str(each) for each in data)


def _in_short(form: Seen) -> str:
    said = [(field.name, _said(field)) for field in form if field.name not in OURS]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _words(field: Field) -> str:
    if isinstance(field.data, bool):
        return _("yes") if field.data else _("no")
    known = {str(choice[0]): str(choice[1]) for choice in field.iter_choices()} if field.type in CHOSEN else {}
    return ", ".join(known.get(each, each) for each in _said(field))
