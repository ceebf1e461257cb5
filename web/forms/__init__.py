"""Forms (WTForms) of the pages, by subject; what they take is judged again by smtpy.admin."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms.i18n import get_translations

from web.i18n import N_, language
from web.i18n import gettext as ours

# What WTForms says, and has no German for.
N_("'%(value)s' is not a valid choice for this field.")
N_("'%(value)s' are not valid choices for this field.")
N_("Not a valid time value.")


class _Words:
    """WTForms' own catalogue, and ours for what it lacks."""

    def __init__(self) -> None:
        self._theirs = get_translations((language(),))

    def gettext(self, text: str) -> str:
        found: str = self._theirs.gettext(text)
        return ours(text) if found == text else found

    def ngettext(self, one: str, many: str, number: int) -> str:
        found: str = self._theirs.ngettext(one, many, number)
        return ours(found) if found in (one, many) else found


class Form(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """What every form is: with a CSRF token, and with WTForms' own words in the reader's language."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """WTForms asks this class."""

        def get_translations(self, _: Any) -> Any:
            """What WTForms says, for the reader."""
            return _Words()
