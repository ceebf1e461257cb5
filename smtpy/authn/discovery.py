"""DMARC policy records, and the walk through the DNS tree that finds them (RFC 9989 sections 4.7 and 4.10).

A name and its parents are asked, eight at most. The walk tells which record holds for a name, and which name is its
organisational domain: the one that says psd=n, or the one below a psd=y, or the shortest with a record.

The public-suffix list guards the last of these three: a registry or a hosting company that publishes a record and
forgets psd=y must not make one organisation of all its customers.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from smtpy.authn.suffixes import Suffixes
from smtpy.dns import Dns, texts

MAX_RECORD = 4096  # octets
MAX_QUERIES = 8  # RFC 9989 section 4.10: a longer name is asked whole, then by its last seven labels

Policy = Literal["none", "quarantine", "reject"]
POLICIES: Mapping[str, Policy] = {"none": "none", "quarantine": "quarantine", "reject": "reject"}

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s,!]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Record:
    """A DMARC record in use. `psd` is y, n or u; an absent sp= is `p`, an absent np= is sp= (section 4.7)."""

    domain: str
    p: Policy
    sp: Policy
    np: Policy
    adkim_strict: bool
    aspf_strict: bool
    psd: str
    test: bool


@lru_cache(maxsize=512)
def parse_record(domain: str, text: bytes) -> Record | None:
    """One TXT record of `_dmarc.domain`; None when it is no DMARC record or one that may not be used.

    Unknown tags and unreadable values count as absent, a second tag of a name too. Without a usable p=, or with an sp=
    or np= that is none, there must be a rua= to make a p=none of it (section 4.10.1).
    """
    tags = _tags(text)
    if tags is None:
        return None
    given = {name: POLICIES.get(tags[name].lower()) for name in ("p", "sp", "np") if name in tags}
    p = given.get("p")
    if p is None or None in given.values():
        if not any(_URI.match(uri.strip()) for uri in tags.get("rua", "").split(",")):
            return None
        given, p = {}, "none"
    sp = given.get("sp") or p
    return Record(
        domain=domain,
        p=p,
        sp=sp,
        np=given.get("np") or sp,
        adkim_strict=tags.get("adkim", "").lower() == "s",
        aspf_strict=tags.get("aspf", "").lower() == "s",
        psd=tags.get("psd", "").lower(),
        test=tags.get("t", "").lower() == "y",
    )


@lru_cache(maxsize=512)
def _tags(text: bytes) -> Mapping[str, str] | None:
    """The tags of a record; None unless it opens with the version, whose value alone minds its letter case."""
    if len(text) > MAX_RECORD:
        return None
    line = text.decode("latin-1")
    opening = _VERSION.match(line)
    if opening is None or "DMARC1" not in opening[0]:
        return None
    found: dict[str, str] = {}
    for part in line.split(";"):
        name, _, value = part.partition("=")
        found.setdefault(name.strip().lower(), value.strip())
    return found


class Walks:
    """The walks of one evaluation: each name is asked once."""

    def __init__(self, dns: Dns, suffixes: Suffixes) -> None:
        self._dns = dns
        self._suffixes = suffixes
        self._seen: dict[str, Record | None] = {}

    def at(self, domain: str) -> Record | None:
        """The record published at that very name. Raises DnsTrouble."""
        if domain not in self._seen:
            found = [parse_record(domain, text) for text in texts(self._dns, f"_dmarc.{domain}") if _tags(text)]
            self._seen[domain] = found[0] if len(found) == 1 else None  # several void each other
        return self._seen[domain]

    def record(self, domain: str) -> Record | None:
        """The record that holds for an author's domain: its own, else its organisation's, else its registry's.

        Raises DnsTrouble.
        """
        if own := self.at(domain):
            return own
        records = self._found(domain)
        chosen = _organization(domain, records)
        registry = next((each for each in records if each.psd == "y"), None)
        return next((each for each in records if each.domain == chosen), registry)

    def organization(self, domain: str) -> str:
        """The organisational domain of a name. Raises DnsTrouble."""
        records = self._found(domain)
        chosen = _organization(domain, records)
        if any(each.domain == chosen and each.psd == "n" for each in records):
            return chosen  # its owner has spoken, whatever the list says
        if listed := self._suffixes.organizational(domain):
            return max(chosen, listed, key=len)  # both end the name: the longer one is the lower one
        return domain if self._suffixes.is_suffix(chosen) else chosen

    def could_be_one(self, one: str, other: str) -> bool:
        """Whether two names may be of one organisation, as far as can be told without asking."""
        listed = self._suffixes.organizational(one)
        return bool(listed) and listed == self._suffixes.organizational(other)

    def _found(self, domain: str) -> list[Record]:
        """The records on the way up, which ends at one that says psd=y or psd=n."""
        records: list[Record] = []
        for name in steps(domain):
            if found := self.at(name):
                records.append(found)
                if found.psd in ("y", "n"):
                    break
        return records


def steps(domain: str) -> Iterator[str]:
    """The names a walk asks, longest first."""
    labels = domain.split(".")
    yield domain
    for left in range(min(len(labels), MAX_QUERIES) - 1, 0, -1):
        yield ".".join(labels[-left:])


def _organization(domain: str, records: list[Record]) -> str:
    """What the records of a walk make the organisational domain (section 4.10.2). A psd=y of the name itself is not
    looked at: a registry that sends mail is its own organisation."""
    if not records:
        return domain
    last = records[-1]
    if last.psd == "y" and last.domain != domain:
        below = domain.removesuffix(f".{last.domain}").rpartition(".")[2]
        return f"{below}.{last.domain}"
    return last.domain
