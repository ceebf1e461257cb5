"""A line of Postfix's log as an event: `read(line, now) -> Logged | None`.

What is not understood is None, never an error. Others choose much of what stands in a line: addresses, HELO, whole
sentences of their servers. Postfix makes `?` of every control character, so a line is one line; within it, three things
keep one event from being taken for another:

- the program and the first word decide what a line may be, and each form is matched whole, from its beginning;
- an address in angle brackets is read by the grammar of RFC 5321 (Postfix logs the external form,
  info_log_addr_form), in which `>` and `, relay=` can only stand within quotes;
- what another server said comes last and is taken as it is. Only our own split transport may name another queue id.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from smtpy.maillog.events import (
    Attempt,
    Deleted,
    Event,
    Expired,
    Held,
    Logged,
    Named,
    Queued,
    Received,
    Refused,
    Released,
    Removed,
    Reported,
    Requeued,
)
from smtpy.maillog.stamp import Head, read_head

SPLIT = "split"  # the service of the second pass, postfix/master.cf

_ID = r"(?P<id>[0-9A-F]{5,20}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,30})"  # short, long: file_id(3) has no vowels
_OTHER = _ID.replace("?P<id>", "?P<other>")
# Each step of the grammar excludes the others, so there is one way to read it and nothing to go back for.
_PATH = r'(?:"(?:[^"\\]|\\.)*+"|\\.|[^">\\])*+'


def _form(text: str) -> re.Pattern[str]:
    return re.compile(text.replace("<PATH>", f"<({_PATH})>"), re.DOTALL | re.ASCII)


_TEXT = _form(rf"{_ID}: (?P<rest>.*)")
_RECEIVED = _form(rf"client=(?P<client>\S+\[[^\]\s]*\](?::\d+)?)(?:, orig_queue_id={_OTHER})?(?:, .*)?")
_NAMED = _form(r"(?:resent-)?message-id=(.*)")
_QUEUED = _form(r"from=<PATH>, size=(\d{1,18}), nrcpt=(\d{1,9}) \(queue active\)")
_EXPIRED = _form(r"from=<PATH>, status=((?:force-)?expired), returned to sender")
_ATTEMPT = _form(
    r"to=<PATH>(?:, orig_to=<PATH>)?, relay=(?P<relay>[^,]+)(?:, [a-z_]+=[^\s,]+)*?, delay=(?P<delay>[\d.]{1,20})"
    r"(?:, [a-z_]+=[^\s,]+)*?, dsn=(?P<dsn>[245]\.\d{1,3}\.\d{1,3})(?:, [a-z_]+=[^\s,]+)*?"
    r", status=(?P<status>[a-zA-Z-]{2,20})(?: \((?P<words>.*))?"
)
_NEXT = _form(rf"250 2\.0\.0 Ok: queued as {_OTHER}")
_REPORTED = _form(rf"(?:sender|postmaster) (.{{3,30}}) notification: {_OTHER}")
_REQUEUED = _form(rf"uid=\d+ from=<PATH> orig_id={_OTHER}")
# Read from the end, where HELO has neither blanks nor brackets: the words hold the recipient's internal form.
_REFUSED = _form(
    r"(?:milter-)?reject: (?P<stage>[A-Z-]+) from (?P<client>\S+\[[^\]\s]*\](?::\d+)?): (?P<words>.*)"
    r"; (?:from=<PATH> )?(?:to=<PATH> )?proto=[A-Z]+(?: helo=<[^<>\s]*>)?"
)
_HELD = _form(r"(?:milter-hold: [A-Z-]+ from \S+: (.*?)(?:; from=<.*)?|hold: (.*))")
_BY_HAND: Mapping[str, Callable[[str], Event]] = {
    "placed on hold": Held,
    "released from hold": Released,
    "removed": Deleted,
}


def read(line: bytes, now: datetime, zone: tzinfo | None = None) -> Logged | None:
    """The event of a line without its end; see `read_head` for `now` and `zone`."""
    head = read_head(line.decode("utf-8", "replace").rstrip("\r"), now, zone)
    if head is None:
        return None
    event = _event(head)
    return Logged(head.at, head.host, head.service, event) if event else None


def _event(head: Head) -> Event | None:
    ways = _WAYS.get(head.program, ())
    queue_id, text = None, head.text
    if found := _TEXT.fullmatch(text):
        queue_id, text = found["id"], found["rest"]
    elif text.startswith("NOQUEUE: "):
        return _refused(None, text.removeprefix("NOQUEUE: "), head) if _refused in ways else None
    if queue_id is None:
        return None
    return next((event for way in ways if (event := way(queue_id, text, head))), None)


def _received(queue_id: str, text: str, head: Head) -> Event | None:
    found = _RECEIVED.fullmatch(text)
    # XFORWARD is taken from our own split alone; at the front, nobody is allowed it (smtpd_authorized_xforward_hosts).
    return Received(queue_id, found["client"], found["other"] if head.service == SPLIT else None) if found else None


def _named(queue_id: str, text: str, _head: Head) -> Event | None:
    found = _NAMED.fullmatch(text)
    return Named(queue_id, found[1]) if found else None


def _queued(queue_id: str, text: str, _head: Head) -> Event | None:
    found = _QUEUED.fullmatch(text)
    return Queued(queue_id, found[1], int(found[2]), int(found[3])) if found else None


def _removed(queue_id: str, text: str, _head: Head) -> Event | None:
    return Removed(queue_id) if text == "removed" else None


def _expired(queue_id: str, text: str, _head: Head) -> Event | None:
    found = _EXPIRED.fullmatch(text)
    return Expired(queue_id, found[1], found[2]) if found else None


def _attempt(queue_id: str, text: str, head: Head) -> Event | None:
    found = _ATTEMPT.fullmatch(text)
    if found is None or found["delay"].count(".") > 1 or found["delay"] == ".":
        return None
    words = (found["words"] or "").removesuffix(")")
    onward = _NEXT.fullmatch(words) if head.service == SPLIT else None
    return Attempt(
        queue_id,
        found[1],
        found[2] or "",
        found["relay"],
        float(found["delay"]),
        found["dsn"],
        found["status"],
        words,
        head.program,
        onward["other"] if onward else None,
    )


def _reported(queue_id: str, text: str, _head: Head) -> Event | None:
    found = _REPORTED.fullmatch(text)
    return Reported(queue_id, found["other"], found[1]) if found else None


def _requeued(queue_id: str, text: str, _head: Head) -> Event | None:
    found = _REQUEUED.fullmatch(text)
    return Requeued(queue_id, found["other"]) if found else None


def _by_hand(queue_id: str, text: str, _head: Head) -> Event | None:
    made = _BY_HAND.get(text)
    return made(queue_id) if made else None


def _held(queue_id: str, text: str, _head: Head) -> Event | None:
    found = _HELD.fullmatch(text)
    return Held(queue_id, found[1] or found[2]) if found else None


def _refused(queue_id: str | None, text: str, _head: Head) -> Event | None:
    found = _REFUSED.fullmatch(text)
    if found is None:
        return None
    return Refused(queue_id, found["stage"], found["client"], found["words"], found[4] or "", found[5] or "")


_AGENTS = ("smtp", "lmtp", "local", "virtual", "pipe", "discard", "error")
# What each program may have to say of a message, and nobody else in its place.
_WAYS: Mapping[str, tuple[Callable[..., Event | None], ...]] = {
    **dict.fromkeys(_AGENTS, (_attempt,)),
    "smtpd": (_received, _refused, _held),
    "cleanup": (_named, _refused, _held),
    "qmgr": (_queued, _removed, _expired, _attempt),
    "bounce": (_reported,),
    "pickup": (_requeued,),
    "postsuper": (_by_hand,),
}
