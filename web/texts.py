"""The texts of the pages, as translators get them: found in source and templates, and taken into `locale/*.po`.

With them the sentences of the core (web.sentences), in a context of their own.

`make texts` brings each catalogue up to date; what is new in it stands there without a translation, and a test tells.
A new language is an empty file: `touch web/locale/fr.po && make texts`.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from web.sentences import CORE, sentences

ROOT = Path(__file__).parent
FOLDER = ROOT / "locale"
NOTICES = ROOT.parent / "smtpy" / "notices"  # letters are translated here, too
KEYWORDS = {"_": None, "_l": None, "N_": None, "_n": (1, 2), "gettext": None, "ngettext": (1, 2)}
MARK = ("TRANSLATORS:",)
JINJA = {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}


def found() -> Catalog:
    """All of them, with the places where they stand."""
    catalogue = Catalog(project="SMTPy", charset="utf-8", fuzzy=False)
    for place, line, text, comments in _all():
        catalogue.add(text, locations=[(place, line)], auto_comments=comments)
    for place, line, text in sentences():
        catalogue.add(text, locations=[(place, line)], context=CORE)
    return catalogue


def _all() -> Iterator[tuple[str, int, str | tuple[str, ...], list[str]]]:
    for path in sorted([*ROOT.rglob("*.py"), *NOTICES.glob("*.py"), *ROOT.glob("templates/**/*.*")]):
        method: Any = "python" if path.suffix == ".py" else babel_extract
        with path.open("rb") as file:
            for line, text, comments, _ in extract(method, file, KEYWORDS, MARK, JINJA):
                yield path.relative_to(ROOT.parent).as_posix(), line, text, comments


def wanting(catalogue: Catalog, texts: Catalog) -> list[str]:
    """What is not translated as it should be: a line each."""
    return [line for text in texts if text.id for line in _wrong(text, catalogue.get(text.id, text.context))]


def _wrong(text: Message, translated: Message | None) -> Iterator[str]:
    said = _forms(translated.string) if translated else ()
    if translated is None or not said or not all(said):
        yield f"without translation: {text.id!r}"
    elif translated.fuzzy:
        yield f"fuzzy: {text.id!r}"
    elif not all(_fits(_values(form), _values(_forms(text.id)[-1]), text.context) for form in said):
        yield f"other placeholders: {text.id!r}"


def _fits(given: set[str], asked: set[str], context: str | None) -> bool:
    """A sentence of the core may leave out a value that another language has no use for, as an article."""
    return given <= asked if context == CORE else given == asked


def _forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(cast("Iterable[str]", text or ()))


def _values(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)\w", text))


def main() -> int:
    """Bring the catalogues up to date."""
    texts, left = found(), 0
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem)
        catalogue.update(texts, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        catalogue.header_comment = f"# The texts of SMTPy's pages: {path.stem}. `make texts` finds them."
        catalogue.project, catalogue.version, catalogue.fuzzy = "SMTPy", "1", False
        catalogue.last_translator, catalogue.language_team = "The SMTPy authors", path.stem
        catalogue.msgid_bugs_address, catalogue.revision_date = "", catalogue.creation_date
        with path.open("wb") as file:
            write_po(file, catalogue, sort_output=True, no_location=True, width=100)
        lines = wanting(catalogue, texts)
        left += len(lines)
        sys.stdout.writelines(f"{path.name}: {line}\n" for line in lines)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
