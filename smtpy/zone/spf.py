"""Whether a domain's SPF lets our hosts send for it (RFC 7208), judged by asking as a receiver does.

The owner's own terms stay: what is proposed is their record with one term more, and it was tried before it is said.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtpy.authn.spf import check_spf
from smtpy.dns import Answer, Dns, DnsTrouble, Kind, texts
from smtpy.signing.result import Result
from smtpy.zone.findings import Finding, Status, finding
from smtpy.zone.look import Look, Wants, absent, begins, shown
from smtpy.zone.records import PREFERENCE, SPF

VERSION = b"v=spf1"

_ALL = re.compile(r"[-+?~]?all\Z", re.I)
_MX = re.compile(r"\+?mx\Z", re.I)
_MODIFIER = re.compile(r"[a-z][a-z0-9._-]*=", re.I)
_FAMILIES: tuple[tuple[Kind, str], ...] = (("A", "ip4"), ("AAAA", "ip6"))


@dataclass(frozen=True, slots=True)
class Host:
    """An address that one of our hosts sends from, and the term that names it."""

    name: str
    address: str
    term: str


@dataclass(frozen=True, slots=True)
class Supposing:
    """A DNS with some answers other than they are."""

    dns: Dns
    answers: dict[tuple[str, Kind], Answer]

    def ask(self, name: str, kind: Kind) -> Answer:
        """As `Dns` has it."""
        return self.answers.get((name.rstrip(".").lower(), kind)) or self.dns.ask(name, kind)


def judge_spf(wants: Wants, look: Look) -> Finding:
    """One record, without a mistake, that lets every address of ours send, and not everybody's."""
    records = [each for each in texts(look.dns, look.domain) if begins(each, VERSION)]
    told = [shown(each) for each in records]
    if not records:
        return absent(wants, look)
    hosts = tuple(_hosts(look))
    if len(records) > 1:
        rule = "SPF allows one record, and two void each other. Replace them by"
        return finding(wants, Status.WRONG, told, _advice(rule, records, hosts, look))
    if not hosts:
        todo = f"Nothing for you: {', '.join(look.hosts)} has no address in DNS; whoever runs this service must add it."
        return finding(wants, Status.UNKNOWN, told, todo)
    status, todo = _verdict(records[0], hosts, look)
    return finding(wants, status, told, todo)


def _hosts(look: Look) -> Iterator[Host]:
    """Raises DnsTrouble."""
    for name in look.hosts:
        for kind, family in _FAMILIES:
            for address in look.dns.ask(name, kind).records:
                text = str(address)
                yield Host(name, text, f"{family}:{text}")


def _verdict(record: bytes, hosts: Sequence[Host], look: Look) -> tuple[Status, str]:
    """Raises DnsTrouble."""
    results = _results(hosts, look.domain, look.dns)
    if all(result is Result.PASS for result, _ in results):
        return _lax(record)
    if trouble := [why for result, why in results if result is Result.TEMPERROR]:
        raise DnsTrouble(trouble[0])
    if mistakes := [why for result, why in results if result is Result.PERMERROR]:
        rule = f"The record has a mistake ({mistakes[0]}), and receivers ignore all of it. Change it to"
        return Status.WRONG, _advice(rule, [record], hosts, look)
    if _passes(record.decode("latin-1"), hosts, look):
        return Status.WRONG, "Nothing here: its mx lets our servers send as soon as the MX records are right."
    refused = next(host.address for host, (result, _) in zip(hosts, results, strict=True) if result is not Result.PASS)
    return Status.WRONG, _advice(f"It does not let our server {refused} send. Change it to", [record], hosts, look)


def _lax(record: bytes) -> tuple[Status, str]:
    if {"all", "+all"} & set(record.decode("latin-1").lower().split()):
        return Status.WARNING, "The word all lets everybody in the world send for the domain: make it -all."
    return Status.OK, ""


def _results(hosts: Sequence[Host], domain: str, dns: Dns) -> list[tuple[Result, str]]:
    """What a receiver makes of mail from each address, with the reason."""
    checks = (check_spf(host.address, host.name, f"postmaster@{domain}", host.name, dns) for host in hosts)
    return [(check.result, check.why) for check in checks]


def _advice(rule: str, records: Sequence[bytes], hosts: Sequence[Host], look: Look) -> str:
    """The rule with a record that keeps it, if there is one."""
    for record in _proposals(records, hosts):
        if _passes(record, hosts, look):
            return f"{rule}: {record}"
    return f"{rule} one that is right; if nobody else sends mail for the domain: {SPF}"


def _passes(record: str, hosts: Sequence[Host], look: Look) -> bool:
    """Whether all would be well with this record, and with the MX records as they are to be."""
    answers: dict[tuple[str, Kind], Answer] = {
        (look.domain, "TXT"): Answer((record.encode("latin-1"),)),
        (look.domain, "MX"): Answer(tuple((PREFERENCE, host) for host in look.hosts)),
    }
    return all(result is Result.PASS for result, _ in _results(hosts, look.domain, Supposing(look.dns, answers)))


def _proposals(records: Sequence[bytes], hosts: Sequence[Host]) -> Iterator[str]:
    """The records joined, with `mx`; or, since an SPF record may cause ten look-ups only, with plain addresses."""
    terms = list(dict.fromkeys(term for each in records for term in each.decode("latin-1").split()[1:]))
    ends = [term for term in terms if _ALL.match(term)]
    idle = "redirect=" if ends else " "  # an `all` leaves it nothing to do (RFC 7208 section 6.1)
    modifiers = [term for term in terms if _MODIFIER.match(term) and not term.lower().startswith(idle)]
    kept = [term for term in terms if not (_ALL.match(term) or _MX.match(term) or _MODIFIER.match(term))]
    addresses = [host.term for host in hosts if host.term not in kept]
    for ours in (["mx"], addresses):
        yield " ".join(["v=spf1", *kept, *ours, *ends[:1], *modifiers])
