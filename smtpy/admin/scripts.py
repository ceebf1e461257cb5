"""Which alphabets a name is written in: one Cyrillic letter in a Latin name makes another name that reads alike.

A small part of UTS 39: who has chosen such a name is warned, not refused, since no list of pairs is ever whole and
names in one's own alphabet are what SMTPUTF8 is for.
"""

import unicodedata

# Written side by side in one language.
_TOGETHER = ({"CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO"}, {"CJK", "HANGUL"})
# Small letters that look as Latin ones do, in most fonts.
_AS_LATIN = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d"  # Cyrillic
    "\u03bd\u03bf\u03f2\u03f3"  # Greek
)


def mixed(name: str) -> tuple[str, ...]:
    """The alphabets that stand side by side in it, if it could be taken for another name, else none."""
    letters = [character for character in name.lower() if character.isalpha()]
    found = {unicodedata.name(letter, "unknown").split()[0] for letter in letters}
    if len(found) > 1 and not any(found - {"LATIN"} <= some for some in _TOGETHER):
        return tuple(sorted(each.title() for each in found))
    if letters and _AS_LATIN.issuperset(letters):
        return tuple(each.title() for each in found)
    return ()
