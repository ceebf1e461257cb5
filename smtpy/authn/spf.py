"""SPF (RFC 7208): may this client send for that domain? pyspf decides; this asks its questions of our DNS.

pyspf looks names up through a function of its module and would need that replaced for every thread at once; here its
`query` is subclassed instead. What a record may cost is bounded here too: its length, a term's length (pyspf's
expressions take the square of it), the names it makes. Explanations (exp=) are not fetched: nobody here repeats a
stranger's words to a third party (RFC 7208 section 11.5).

Refuses nothing: whatever stands in a record or an envelope, there is a result and a `why`.
"""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import spf

from smtpy.dns import Dns, DnsTrouble, Kind
from smtpy.mail.address import BadAddress, parse_domain
from smtpy.signing.result import Result

MAX_RECORD = 4096  # octets; RFC 7208 section 3.4 advises 450
MAX_TERM = 512  # octets of a mechanism or modifier
MAX_NAME = 253  # octets, RFC 7208 section 7.3

Identity = Literal["mailfrom", "helo"]

WHY = {
    "none": "{domain} has no SPF record",
    "neutral": "{domain} says nothing about {client}",
    "softfail": "{domain} doubts {client}",
    "fail": "{domain} does not permit {client}",
}


@dataclass(frozen=True, slots=True)
class Spf:
    """`domain` in A-labels where it is a name; "" when there was none to ask. `why` is empty on a pass."""

    result: Result
    domain: str
    identity: Identity
    why: str


def check_spf(client: str, helo: str, reverse_path: str, receiver: str, dns: Dns) -> Spf:
    """The result for the reverse-path, or for the HELO name when that is null (RFC 7208 section 2.4).

    `client` is an IP address as text; anything else gives NONE. `receiver` is our own name, for the macro.
    """
    identity: Identity = "mailfrom" if reverse_path else "helo"
    local, _, domain = reverse_path.rpartition("@") if reverse_path else ("postmaster", "@", helo)
    domain, client = _a_labels(domain), client.partition("%")[0]  # without the interface of a link-local address
    if not _is_address(client):
        return Spf(Result.NONE, domain, identity, "the client has no IP address")
    if not domain.isascii() or not domain:
        return Spf(Result.NONE, "", identity, "there is no domain to ask")
    result, words = _evaluated(_Query(client, f"{local}@{domain}", helo, receiver, dns))
    return Spf(result, domain, identity, words.format(domain=domain, client=client))


def _evaluated(query: "_Query") -> tuple[Result, str]:
    """The result and why. Raises nothing: pyspf stumbles over some records that break the grammar."""
    try:
        word, _, said = query.check()
    except (ValueError, LookupError, TypeError, AssertionError):
        return Result.PERMERROR, "{domain} has an SPF record that cannot be read"
    if word in WHY:
        return Result(word), WHY[word]
    return Result(word), "" if word == "pass" else _braced(said)


def _braced(text: str) -> str:
    """Text of others in a format."""
    return text.replace("{", "{{").replace("}", "}}")


def _a_labels(domain: str) -> str:
    """RFC 8616 section 4: the name is asked in A-labels. What cannot be turned into them stays and finds no record."""
    if domain.isascii():
        return domain.lower()
    try:
        return parse_domain(domain)
    except BadAddress:
        return domain


@lru_cache(maxsize=4096)
def _is_address(client: str) -> bool:
    try:
        return bool(ipaddress.ip_address(client))
    except ValueError:
        return False


class _Query(spf.query):  # type: ignore[misc]
    """pyspf's evaluation on our DNS."""

    def __init__(self, client: str, sender: str, helo: str, receiver: str, dns: Dns) -> None:
        super().__init__(i=client, s=sender, h=helo, receiver=receiver)
        self._dns = dns

    def dns(self, name: str, qtype: Kind, cnames: Any = None, ignore_void: bool = False) -> list[Any]:
        """What pyspf asks for all its look-ups; two that find nothing are allowed (RFC 7208 section 4.6.4)."""
        found = list(self._asked(name.removesuffix("."), qtype))
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError(f"Void lookup limit of {spf.MAX_VOID_LOOKUPS} exceeded")
        return [(each,) for each in found] if qtype == "TXT" else found

    def _asked(self, name: str, kind: Kind) -> tuple[Any, ...]:
        if not _can_be_asked(name):
            return ()
        try:
            return self._dns.ask(name, kind).records
        except DnsTrouble:
            if kind == "PTR":  # RFC 7208 section 5.5: then the mechanism does not match
                return ()
            raise spf.TempError("a DNS look-up failed") from None  # our resolvers are named to nobody

    def validated_ptrs(self) -> list[str]:
        """RFC 7208 section 5.5: a name whose addresses cannot be had is passed over, ten are looked at."""
        return [name for name in self.dns_ptr(self.i)[: spf.MAX_PTR] if self._leads_back(name)]

    def _leads_back(self, name: str) -> bool:
        try:
            return bool(self.cidrmatch(self.dns_a(name, self.A), self.cidrmax))
        except spf.TempError:
            return False

    def dns_spf(self, domain: str) -> str | None:
        """The record of a domain, within our limits."""
        record: str | None = super().dns_spf(domain)
        if record and (len(record) > MAX_RECORD or max(map(len, record.split(" "))) > MAX_TERM):
            raise spf.PermError("the SPF record or a term of it is too long")
        return record

    def expand(self, text: str, stripdot: bool = True) -> str:
        """RFC 7208 section 7.3: a name that came out too long loses labels on its left. pyspf takes one label only."""
        name: str = super().expand(text, stripdot)
        if not stripdot or len(name) <= MAX_NAME:
            return name
        return name[name.find(".", len(name) - MAX_NAME - 1) + 1 :]

    def get_explanation(self, spec: str) -> None:
        """None: no explanation is wanted."""


def _can_be_asked(name: str) -> bool:
    """Whether it is a name DNS can hold; SMTPUTF8 local parts make others (RFC 8616 section 4: then no match)."""
    return name.isascii() and len(name) <= MAX_NAME and all(0 < len(label) < 64 for label in name.split("."))
