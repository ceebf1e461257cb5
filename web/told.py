"""What the core says, in the reader's language: `told("shop.example has no key")`.

Refusals of smtpy.admin, reasons in the journal, findings of the doctor and of checks of DNS are English sentences, some
of which were written down long ago. So each is found again among the sentences of the core (web.sentences), which stand
in the catalogues with `%(name)s` for what changes; what stood there goes into the translation, itself translated if it
is a sentence. Several sentences in a row, or parts that a mark joins, are taken apart. What is not known stays as it
is: other servers' words, and names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import re2
from flask import Flask

from web import i18n
from web.sentences import CORE, parts_of

# Between the parts of what is said, in the order in which it is taken apart.
SENTENCE = ". "
MARKS = (SENTENCE, ": ", "; ", " -> ", ", ")
PARTS = 50  # that are looked at one by one; nobody says more at once
RUN = 4  # parts that may be one sentence
TELLING = 12  # characters of a sentence by which it is known, whatever its values are
THEIRS = frozenset({"text", "pattern", "shown", "lines", "reply", "sender"})  # values that are no words of ours
MOST = 2_000  # characters of one saying; what is longer was not written by us


@dataclass(frozen=True, slots=True)
class Sentence:
    """One with values: `sign` is its longest part that does not change, and stands in whatever `pattern` matches.

    `weak`: it says so little that much else would match, as `%(server)s says %(words)s`.
    """

    sign: str
    pattern: "re2._Regexp[str]"
    names: tuple[str, ...]
    translation: str
    weak: bool

    def match(self, text: str) -> Any:
        """What stands in it for the values, if the text is this sentence."""
        return self.sign in text and self.pattern.fullmatch(text)


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """The sentences of the core in one language: those without values, and the others, the most telling first."""

    plain: Mapping[str, str]
    sentences: tuple[Sentence, ...]

    def told(self, text: str, marks: Sequence[str] = MARKS) -> str:
        """What is known of it, translated."""
        if (known := self._known(text)) is not None:
            return known
        for place, mark in enumerate(marks):
            if 0 < text.count(mark) < PARTS and (told := self._in_parts(text, mark, marks[place + 1 :])) != text:
                return told
        return self._words(text)

    def _known(self, text: str) -> str | None:
        if found := self.plain.get(text):
            return found
        for each in self.sentences:
            if (match := each.match(text)) and (not each.weak or all(map(self._fits, match.groups()))):
                values = zip(each.names, match.groups(), strict=True)
                return each.translation % {name: self._value(name, value) for name, value in values}
        return None

    def _fits(self, value: str) -> bool:
        """Whether it may stand in a sentence that says little by itself: words may, or what is known."""
        if " " not in value or value in self.plain or value.split(" ")[1:-1] == ["and"]:
            return True
        return any(not each.weak and each.match(value) for each in self.sentences)

    def _value(self, name: str, value: str) -> str:
        if name in THEIRS:
            return value
        if (known := self._known(value)) is not None:
            return known
        words = value.strip(" ")  # a sentence before others brings the blank behind it
        return value.replace(words, self.told(words), 1) if words else value

    def _in_parts(self, text: str, mark: str, marks: Sequence[str]) -> str:
        """The parts that a mark joins. What is known may have the mark within it, so several are looked for first."""
        dot, between = (".", " ") if mark == SENTENCE else ("", mark)
        parts, done = text.split(mark), list[str]()
        while parts:
            for count in range(min(RUN, len(parts)), 0, -1):
                head = mark.join(parts[:count]) + (dot if parts[count:] else "")
                known = self._known(head) if count > 1 else self.told(head, marks)
                if known is not None:
                    done.append(known)
                    del parts[:count]
                    break
        return between.join(done)

    def _words(self, text: str) -> str:
        match text.split(" "):
            case [one, "and", other]:
                return f"{one}{self.plain.get(' and ', ' and ')}{other}"
            case [one, other]:  # a record and its state
                return f"{self.plain.get(one, one)} {self.plain.get(other, other)}"
        return text


@cache
def phrasebook(language: str) -> Phrasebook:
    """That of a language; the one of the source is empty."""
    plain, others = dict[str, str](), list[Sentence]()
    for each in i18n.catalogue(language):
        if each.context != CORE or not each.string:
            continue
        fixed, names = parts_of(str(each.id))
        if names:
            sign = max(fixed, key=len)
            pattern = "(?s)" + "(.*?)".join(map(re2.escape, fixed))
            others.append(Sentence(sign, re2.compile(pattern), names, str(each.string), len("".join(fixed)) < TELLING))
        else:
            plain[fixed[0]] = str(each.string) % {}
    others.sort(key=lambda each: (len(each.pattern.pattern) - 5 * len(each.names), each.sign), reverse=True)
    return Phrasebook(plain, tuple(others))


@lru_cache(maxsize=4096)
def _told(language: str, text: str) -> str:
    return phrasebook(language).told(text)


def told(text: str) -> str:
    """A saying of the core in the language of this request."""
    language = i18n.language()
    return text if language == i18n.SOURCE or len(text) > MOST else _told(language, text)


def init_app(app: Flask) -> None:
    """`|told` in templates."""
    app.jinja_env.filters["told"] = told
