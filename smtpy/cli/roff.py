r"""Manual pages in the man macros of roff (man(7), groff_man(7)), made of plain text with words between backticks.

Whatever is text is escaped: a backslash, a dot or quote that begins a line, and a hyphen, which roff would print as a
typographic one that nobody finds or copies. Macros are only those that mandoc and groff share.
"""

import re
from collections.abc import Iterable, Iterator

Item = tuple[str, str]  # a term, and what it means

_CODE = re.compile(r"`([^`]+)`")
_NUMBERED = re.compile(r"([0-9]+\.) (.*)\Z", re.S)


def title(name: str, section: int, version: str) -> Iterator[str]:
    """The first line. Without a date, so that the same version gives the same pages."""
    yield f'.TH {name.upper()} {section} "" "SMTPy {escape(version)}"'


def section(name: str, lines: Iterable[str]) -> Iterator[str]:
    """A section, unless nothing stands in it."""
    held = list(lines)
    if held:
        yield from (f".SH {name}", *held)


def subsection(name: str) -> str:
    """A heading within a section."""
    return f'.SS "{escape(name)}"'


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs that an empty line parts; lines `1. ...` in one are a list."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip())):
        if _NUMBERED.match(block):
            for each in re.split(r"\n(?=[0-9]+\. )", block):
                mark, words = re.split(r" ", each, maxsplit=1)
                yield from (f".IP {mark} 4", _words(words))
        elif block:
            yield from (*([".PP"] if number else []), _words(block))


def terms(items: Iterable[Item]) -> Iterator[str]:
    """A list of terms with what they mean below each."""
    for term, words in items:
        yield from (".TP", f"\\fB{escape(term)}\\fR", _words(words))


def see(pages: Iterable[tuple[str, int]]) -> str:
    """References to other pages."""
    return ",\n".join(f"\\fB{escape(name)}\\fR({number})" for name, number in pages)


def escape(text: str) -> str:
    """Text as it is, in a line that other text may precede."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")


def _words(text: str) -> str:
    """One paragraph, its lines joined; what stands between backticks is bold."""
    joined = " ".join(text.split())
    parts = _CODE.split(joined)
    said = "".join(f"\\fB{escape(part)}\\fR" if number % 2 else escape(part) for number, part in enumerate(parts))
    return f"\\&{said}" if said[:1] in (".", "'") else said
