"""The patterns of automatic aliases: RE2, which takes linear time whatever the pattern and the address.

A backtracking engine would let one owner's `(a+)+$` stop everybody's mail. Patterns match the whole folded local part.
"""

from functools import lru_cache

import re2

MAX_PATTERN = 200  # characters
_MAX_MEMORY = 1 << 20  # octets RE2 may spend on one compiled pattern


class BadPattern(ValueError):
    """The text is not a pattern RE2 takes; the message says why and is safe to show."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> "re2._Regexp[str]":
    """The compiled pattern. Raises BadPattern."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern(f"pattern is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not understood"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(f"pattern is not RE2: {text}") from None


def matches(pattern: str, local: str) -> bool:
    """Whether the whole local part matches. Raises BadPattern."""
    return compiled(pattern).fullmatch(local) is not None
