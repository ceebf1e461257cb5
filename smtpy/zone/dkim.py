"""Whether the public half of a key stands in DNS as receivers need it (RFC 6376 section 3.6.1)."""

from collections.abc import Sequence

from smtpy.dns import texts
from smtpy.signing.key import PublicKey, parse_public
from smtpy.signing.tags import without_blanks
from smtpy.zone.findings import Finding, Status, finding
from smtpy.zone.look import Look, Wants, absent, publish, shown
from smtpy.zone.records import NO_KEY, Kind

_LEAST_CUT = 20  # characters that two keys do not have in common by chance


def judge_dkim(wants: Wants, look: Look) -> Finding:
    """Our key, and nothing beside it; of a retired one whatever its owner thinks best, which may be an empty p=."""
    found = texts(look.dns, wants[0].name)
    told = [shown(each) for each in found]
    if wants[0].leaving:
        return finding(wants, Status.OK, told or ("gone already",))
    if not any(b"p=" in each for each in found):
        return absent(wants, look, found)
    ours = _public(wants[0].value.encode())
    read = [key for key in map(_public, found) if key and ours and key.key == ours.key]
    if not read:
        return finding(wants, Status.WRONG, told, f"{_why(found, wants[0].value)} {publish(wants[0])}")
    if len(found) > 1:
        todo = "Take the other TXT records of this name away: some receivers look at the first only."
        return finding(wants, Status.WARNING, told, todo)
    if read[0].testing:
        todo = "Take t=y away: it asks receivers to treat our signatures as a test only."
        return finding(wants, Status.WARNING, told, todo)
    return finding(wants, Status.OK, told)


def no_key(domain: str) -> Finding:
    """That there is nothing to look for, which no look at DNS would tell."""
    todo, name = NO_KEY.format(domain=domain), f"_domainkey.{domain}"
    return Finding(Kind.DKIM, name, Status.MISSING, True, "TXT v=DKIM1; k=…; p=… below it", (), f"There is {todo}.")


def _public(record: bytes) -> PublicKey | None:
    parsed = parse_public(record)
    return parsed if isinstance(parsed, PublicKey) else None


def _why(found: Sequence[bytes], value: str) -> str:
    """How what is there may have come there."""
    text = next(each for each in found if b"p=" in each)
    key, ours = _key(text.decode("latin-1")), _key(value)
    if b'"' in text or b"\\" in text:
        return "Quotation marks or backslashes became part of the record: enter it without them."
    if not key:
        return "The record says that the key is revoked (p= is empty), perhaps through a wildcard."
    if key == ours:
        return "The key is ours, but what stands beside it keeps receivers from using it: change the record."
    if len(key) >= _LEAST_CUT and ours.startswith(key):
        return f"The record was cut off after {len(text)} characters: enter it as several strings of up to 255 each."
    return "It is another key than ours: replace it."


def _key(record: str) -> str:
    return without_blanks(record.partition("p=")[2].partition(";")[0])
