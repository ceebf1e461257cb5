"""Languages: English in the source, others as catalogues in `locale/<language>.po` (gettext), read when needed.

The member's own choice comes first, then what the browser asks for.
"""

import gettext as catalogues
import io
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, dates
from babel.messages import Catalog, mofile, pofile
from babel.support import LazyProxy
from flask import Flask, g, has_request_context, request

from web import sessions

FOLDER = Path(__file__).parent / "locale"
SOURCE = "en"


@cache
def languages() -> dict[str, str]:
    """Those there are: code and own name."""
    codes = [SOURCE, *sorted(path.stem for path in FOLDER.glob("*.po"))]
    return {code: str(Locale.parse(code).get_display_name(code)).capitalize() for code in codes}


@cache
def catalogue(language: str) -> Catalog:
    """All texts of a language; of the source there is nothing to say."""
    path = FOLDER / f"{language}.po"
    if language == SOURCE or not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=language)


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    if language == SOURCE:
        return catalogues.NullTranslations()
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)


def language() -> str:
    """The language of this request."""
    if not has_request_context():
        return SOURCE
    if "language" not in g:
        member = sessions.visit().member
        chosen = member.language if member else ""
        best = request.accept_languages.best_match(list(languages()))
        g.language = chosen if chosen in languages() else best or SOURCE
    found: str = g.language
    return found


def speak(chosen: str) -> str:
    """From here on the reader is somebody else, as of a letter; a language that is not there changes nothing.

    Returns the language until now.
    """
    before = language()
    g.language = chosen if chosen in languages() else before
    return before


def _(text: str, **values: Any) -> str:
    """The text in the reader's language; `%(name)s` stands for values."""
    found = _catalogue(language()).gettext(text)
    return found % values if values else found


def _n(one: str, many: str, number: int, **values: Any) -> str:
    """The same, as the number of things asks for; `%(num)s` is the number."""
    return _catalogue(language()).ngettext(one, many, number) % {"num": number, **values}


def _l(text: str) -> Any:
    """The same for what is written before there is a reader, as the labels of forms are."""
    return LazyProxy(_, text, enable_cache=False)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a text that is translated later, where it is shown."""
    return text


def gettext(text: str) -> str:
    """For templates."""
    return _catalogue(language()).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """For templates."""
    return _catalogue(language()).ngettext(one, many, number)


def locale() -> Locale:
    """How dates and numbers are written for the reader."""
    return Locale.parse(language())


def init_app(app: Flask) -> None:
    """`_()` and `{% trans %}` in templates, and dates as the reader writes them."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(language=language, languages=languages)
    app.jinja_env.filters["day"] = lambda value: dates.format_date(value, "medium", locale())
    app.jinja_env.filters["moment"] = lambda value: dates.format_datetime(value, "medium", locale=locale())
