"""Tag lists, the language of DKIM-Signature, ARC-Seal and the key records (RFC 6376 section 3.2).

    v=1; a=rsa-sha256; d=a.example;

Every tag once, values with their letter case. What is not that is refused as a whole: a verifier that guesses at a
damaged list may read another one than its neighbour does. Takes one pass, whatever stands in the list.
"""

import re

MAX_OCTETS = 16_384  # a signature by a key of 16384 bits with two hundred names is a quarter of it

BLANKS = " \t\r\n"  # what folding white space is made of
_NO_BLANKS = str.maketrans("", "", BLANKS)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class BadTags(ValueError):
    """Not a tag list; the message says which rule it breaks and repeats nothing of it."""


def parse_tags(value: bytes) -> dict[str, str]:
    """Tag names to values, without the blanks round them; those within stay. Raises BadTags.

    UTF-8 is taken, as RFC 8616 allows in d=, s= and i=.
    """
    if len(value) > MAX_OCTETS:
        raise BadTags("tag list is too long")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise BadTags("tag list is not UTF-8") from None
    if _CONTROL.search(text):
        raise BadTags("tag list contains a control character")
    parts = text.split(";")
    if not parts[-1].strip(BLANKS):
        parts.pop()  # the last semicolon may end the list
    return _tags(parts)


def _tags(parts: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for part in parts:
        name, equals, content = part.partition("=")
        name = name.strip(BLANKS)
        if not equals or not _NAME.fullmatch(name):
            raise BadTags("tag list has a part that is no tag")
        if name in tags:
            raise BadTags("tag list has a tag twice")
        tags[name] = content.strip(BLANKS)
    if not tags:
        raise BadTags("tag list is empty")
    return tags


def without_blanks(text: str) -> str:
    """The text without any folding white space: base64 and lists may have it anywhere."""
    return text.translate(_NO_BLANKS)
