"""Who sends under reverse-paths that change: the part that changes from message to message is folded to `*`.

Bulk senders give each message a reverse-path of its own (VERP), forwarders wrap the one before (SRS), others sign
theirs (BATV, draft-levine-smtp-batv): a newsletter would count as a thousand senders. A local part is folded where it
is made of several words joined by - + = _, and then only words that are numbers or digests; people have these too, but
not by themselves: anna-85@mail.example stays. What is one word is folded only if it is a UUID: 4930901820@mail.example
is somebody. Over 256 characters nothing is folded.

No proof of anything: anybody may write any reverse-path.
"""

import re

_SRS0 = re.compile(r"srs0[=+-][^=]+=[^=]+=(?P<domain>[^=]+)=(?P<local>.+)\Z", re.I | re.S)
_SRS1 = re.compile(r"srs1[=+-][^=]+=[^=]+=[=+-][^=]+=[^=]+=(?P<domain>[^=]+)=(?P<local>.+)\Z", re.I | re.S)
_BATV = re.compile(r"prvs=(?:[0-9a-z]{10}=(?P<local>[^=]+)|(?P<early>[^=]+)=[0-9a-z]{10})\Z", re.I)
_RECIPIENT = re.compile(r"(?<=[-+_=])[^-+_=]+=[^=@]+\.[^=@]+\Z")  # user=inbox.example, at the end
_WORDS = re.compile(r"([-+=_])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
# A number of six digits, or eight characters with one among them; less where the first word says what it is.
_CHANGES = re.compile(r"\d{6,}|(?=[a-z]*\d)[0-9a-z.:]{8,}", re.I)
_COUNTS = re.compile(r"\d+|(?=[a-z]*\d)[0-9a-z.:]{4,}", re.I)
_BY_MACHINE = frozenset(["bounce", "bounces", "bounced", "return", "returns", "verp", "msprvs1", "sentto", "delivery"])
MOST = 256  # characters
MOST_WRAPPED = 4  # forwarders, one after the other


def folded(local: str, domain: str) -> tuple[str, str]:
    """Local part and domain under which messages of one sender are counted."""
    if len(local) > MOST:
        return local, domain
    for _ in range(MOST_WRAPPED):
        wrapped = _SRS0.match(local) or _SRS1.match(local)
        if wrapped is None:
            break
        local, domain = wrapped["local"], wrapped["domain"]
    if signed := _BATV.match(local):
        local = signed["local"] or signed["early"]
    return _folded(local), domain


def _folded(local: str) -> str:
    without = _RECIPIENT.sub("*", _UUID.sub("*", local))
    words = _WORDS.split(without)  # word, separator, word ...
    if len(words) == 1:
        return without
    sure = "*" in words[1:] or words[0].lower() in _BY_MACHINE
    changes = _COUNTS if sure else _CHANGES
    kept = [words[0] if sure and not _CHANGES.fullmatch(words[0]) else _word(words[0], changes)]
    for separator, word in zip(words[1::2], words[2::2], strict=True):
        shown = _word(word, changes)
        if not (shown == "*" and kept[-1] == "*"):
            kept += [separator, shown]
    return "".join(kept)


def _word(word: str, changes: re.Pattern[str]) -> str:
    return "*" if word == "*" or changes.fullmatch(word) else word
