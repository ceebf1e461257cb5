"""Forms (WTForms) of the pages, by subject; what they take is judged again by smtpy.admin."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms.i18n import get_translations

from web.i18n import language


class Form(FlaskForm):  # type: ignore[misc]  # WTForms has no types
    """What every form is: with a CSRF token, and with WTForms' own words in the reader's language."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """WTForms asks this class."""

        def get_translations(self, _: Any) -> Any:
            """Theirs are in WTForms' catalogues."""
            return get_translations((language(),))
