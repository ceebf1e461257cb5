"""Passwords: what may be one (ASVS 5.0 chapter 6.2), and Argon2id (RFC 9106) as they are kept.

No rule about kinds of characters: length, and how soon it would be guessed (zxcvbn, to which the names of its owner and
of this service are told). Its list of 30,000 passwords is the one of common ones, ten times what ASVS asks for; a
longer one would add what its estimate refuses anyway. Nobody outside is asked whether a password has leaked. Nothing is
cut off. Each hash takes 19 MiB, so only a few are worked out at once; and who has no password takes as long to refuse
as who has another.
"""

import re
import secrets
from collections.abc import Iterable
from functools import cache
from string import digits, punctuation
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from smtpy.admin.refusals import Invalid

MIN, MAX = 10, 128  # characters
ENOUGH = 3  # zxcvbn's score: more than 10^8 guesses
JUDGED = 100  # characters; zxcvbn takes time by the square, and what follows makes none easier to guess

AROUND = 8  # characters by which a common password is no better: Summer2026!!

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least
_AT_ONCE = BoundedSemaphore(4)


def hashed(text: str) -> str:
    """As it is kept: algorithm, costs, salt, hash."""
    with _AT_ONCE:
        return _HASHER.hash(text)


def fits(kept: str | None, text: str) -> bool:
    """Whether that is the password; takes its time where there is none."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(kept or _nobodys(), text) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_dated(kept: str) -> bool:
    """Whether it was hashed at other costs than today's."""
    return _HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def judged(text: str, words: Iterable[str], field: str = "password") -> str:
    """The password, if it may be one; `words`: names of its owner and of the service. Raises Invalid."""
    if len(text) < MIN:
        raise Invalid(field, f"A password has at least {MIN} characters. Four or five words make a good one.")
    if len(text) > MAX:
        raise Invalid(field, f"A password has at most {MAX} characters. Shorten it.")
    own = _parts(words)
    if _is_common(text) or _score(text, own) < ENOUGH or _score(_without(text, own), own) < ENOUGH:
        raise Invalid(field, "That password would soon be guessed. Four or five unrelated words make a better one.")
    return text


def _is_common(text: str) -> bool:
    """Whether it is a common one with digits and signs around it; zxcvbn takes any three parts for 10^8 guesses."""
    core = text.strip(digits + punctuation + " ")
    return len(text) - len(core) <= AROUND and core.lower() in _common()


@cache
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])


def _score(text: str, own: list[str]) -> int:
    return int(zxcvbn(text[:JUDGED], user_inputs=own, max_length=JUDGED)["score"]) if text else 0


def _without(text: str, own: list[str]) -> str:
    """What is left of it when the names are taken out."""
    return re.sub("|".join(re.escape(word) for word in sorted(own, key=len, reverse=True)), "", text, flags=re.I)


def _parts(words: Iterable[str]) -> list[str]:
    """Whole and in parts: ann.smith@people.example, ann, smith, people."""
    whole = [word.lower() for word in words if word]
    parts = [part for word in whole for part in word.replace("@", " ").replace(".", " ").split()]
    return ["smtpy", *whole, *(part for part in parts if len(part) > 2)]
