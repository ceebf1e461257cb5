"""Blocklists in DNS (RFC 5782): whether one has an address from which our mail leaves.

Only those of the setting are asked, none by default: each has its own terms, and learns who asks about whom. A list
that answers outside 127.0.0.0/8, with 127.0.0.1, or with an error code (127.255.255.x of Spamhaus: asked through a
public resolver, or too often) has said nothing. So has one that does not keep to its own test points: lists that are
given up tend to list everybody one day.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import IPv4Network, ip_address, ip_network
from itertools import chain
from pathlib import Path

from smtpy.config import Settings
from smtpy.dns import Dns, DnsTrouble, texts
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.hostname import addresses_of, asking, main_cf

AT_ONCE = 8
EVERY_SECONDS = 600.0  # that a process asks; a list learns of it, and pays for it
LISTED, NOT_LISTED = "2.0.0.127", "1.0.0.127"  # RFC 5782 section 5
_CODES = IPv4Network("127.0.0.0/8")
_NO_ANSWERS = (ip_network("127.255.255.0/24"), ip_network("127.0.0.1/32"))
MAX_TEXT = 200  # characters of what a list says


class _Silent(Exception):
    """The list has not said yes or no; the text says why."""


def examine(settings: Settings, folder: Path | None) -> Iterator[Finding]:
    """What the lists say, if our addresses matter."""
    if not settings.blocklists:
        yield Finding("blocklists", os.EX_OK, "none is asked: blocklists is not set")
        return
    if relay := main_cf(folder).get("relayhost"):
        yield Finding("blocklists", os.EX_OK, f"mail leaves by {relay}, and it is for whoever runs that to look")
        return
    yield from _asked(settings, int(time.monotonic() // EVERY_SECONDS))


@lru_cache(maxsize=1)
def _asked(settings: Settings, _turn: int) -> tuple[Finding, ...]:
    """All lists at once, and not again in the same turn: `smtpy metrics` looks once a minute."""
    dns = asking(settings)
    try:
        addresses = tuple(map(str, settings.outgoing_addresses)) or addresses_of(dns, settings.hostname)
    except DnsTrouble as trouble:
        return (Finding("blocklists", os.EX_OK, f"could not be asked: {trouble}"),)
    with ThreadPoolExecutor(AT_ONCE) as crew:
        found = crew.map(lambda name: tuple(_ask(dns, name, addresses)), settings.blocklists)
        return tuple(chain.from_iterable(found))


def _ask(dns: Dns, name: str, addresses: tuple[str, ...]) -> Iterator[Finding]:
    """What one list says of each address, once it is known to be in order."""
    try:
        if not _codes(dns, f"{LISTED}.{name}") or _codes(dns, f"{NOT_LISTED}.{name}"):
            words = f"{name} does not keep to its test points (RFC 5782), so it is no list, or one that was given up"
            yield Finding("blocklists", WARNING, words, "take it out of blocklists")
            return
        listed = [(address, _reason(dns, address, name)) for address in addresses if _codes(dns, _at(address, name))]
    except (DnsTrouble, _Silent) as trouble:
        yield Finding("blocklists", os.EX_OK, f"{name} could not be asked: {trouble}")
        return
    for address, text in listed:
        words = f"{address} is on {name}, so mail from it is refused or taken for spam"
        if text:
            words = f'{address} is on {name}, so mail from it is refused or taken for spam; it says "{text}"'
        fix = "find out what it has sent and stop that (`smtpy log`), then ask the list to take it off"
        yield Finding("blocklists", WARNING, words, fix)
    if not listed:
        yield Finding("blocklists", os.EX_OK, f"{name} has none of our addresses")


def _at(address: str, name: str) -> str:
    return f"{ip_address(address).reverse_pointer.removesuffix('.in-addr.arpa').removesuffix('.ip6.arpa')}.{name}"


def _codes(dns: Dns, name: str) -> tuple[str, ...]:
    """The codes at a name; none: it is not listed. Raises DnsTrouble, _Silent."""
    codes = tuple(map(str, dns.ask(name, "A").records))
    for code in codes:
        at = ip_address(code)
        if at not in _CODES:
            raise _Silent(f"it answers {code}, which is no code of a list")
        if any(at in each for each in _NO_ANSWERS):
            raise _Silent(f"it answers {code}: ask through a resolver of your own, or less often")
    return codes


def _reason(dns: Dns, address: str, name: str) -> str:
    """What the list tells the world about it, which is mostly where to ask for more."""
    said = b" ".join(texts(dns, _at(address, name))).decode("utf-8", "replace")[:MAX_TEXT]
    return "".join(each if each.isprintable() else " " for each in said)
