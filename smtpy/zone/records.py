"""What a domain of ours publishes in DNS, and what each record is for in words that its owner can act on.

Required is what mail cannot do without: the way in (MX), the leave to send (SPF), the keys (DKIM), and the proof that
the owner of the domain wants all this. The rest makes forgery and eavesdropping harder.

Forwarded mail leaves with a return address on the domain itself (smtpy.srs), so it is the domain's SPF that must name
our servers, and `mx` does: the hosts that take its mail are those that send it on.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

OWNERSHIP_LABEL = "_smtpy"
OWNERSHIP = "smtpy-verification="
PREFERENCE = 10  # of each MX: hosts of one preference share the load (RFC 5321 section 5.1)
SPF = "v=spf1 mx -all"
POLICY_SECONDS = 604_800  # for which senders remember an MTA-STS policy; weeks are what RFC 8461 section 3.2 advises


class Kind(StrEnum):
    """What a record is about."""

    OWNERSHIP = "ownership"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    MTA_STS = "mta-sts"
    TLS_RPT = "tls-rpt"
    REPLIES = "replies"  # of a mailbox's domain: whether mail from it can be believed


KeyState = Literal["waiting", "used", "retired"]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A DKIM key as it is published. `record`: the text of its TXT record."""

    selector: str
    record: str
    state: KeyState


@dataclass(frozen=True, slots=True)
class Service:
    """What this service is called in other people's DNS: the hosts that take mail, and who reads reports."""

    hosts: tuple[str, ...]
    report_address: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record to publish. `name` without the final dot; `value` as people type it: a text bare, an MX as `10 host`.

    `leaving`: of a retired key, so it may stay, be emptied or go.
    """

    kind: Kind
    name: str
    type: Literal["TXT", "MX", "CNAME"]
    value: str
    required: bool
    why: str
    leaving: bool = False


def expected(domain: str, uuid: str, keys: Sequence[PublicKey], service: Service) -> tuple[Wanted, ...]:
    """All that `domain` (A-labels) is to publish, the most important first. `uuid`: that of the domain."""
    signed = any(key.state == "used" for key in keys)
    return (
        Wanted(
            *(Kind.OWNERSHIP, f"{OWNERSHIP_LABEL}.{domain}", "TXT", f"{OWNERSHIP}{uuid}", True),
            f"Shows that whoever keeps the DNS of {domain} wants its mail handled here.",
        ),
        *_mx(domain, service.hosts),
        Wanted(
            *(Kind.SPF, domain, "TXT", SPF, True),
            f"Lets the servers that take mail for {domain} send it on: its return address is then on {domain}.",
        ),
        *(_dkim(domain, key, signed=signed) for key in keys),
        Wanted(
            *(Kind.DMARC, f"_dmarc.{domain}", "TXT"),
            *(f"v=DMARC1; p=quarantine; rua=mailto:{service.report_address}", False),
            f"Asks receivers to distrust mail that says it is from {domain} and is not, and to send reports.",
        ),
        *_tls(domain, service),
    )


def _mx(domain: str, hosts: Sequence[str]) -> Iterator[Wanted]:
    for host in hosts:
        why = f"Tells other servers to bring mail for {domain} to {host}."
        yield Wanted(Kind.MX, domain, "MX", f"{PREFERENCE} {host}", True, why)


NEXT_KEY = "A new key: publish it, then it takes over. Until our check has seen it, the key before it signs on."
NO_KEY = "no key; run `smtpy key rotate {domain}` or start `smtpy worker`"
_KEY_WORDS: dict[KeyState, str] = {
    "waiting": "A new key: mail is signed with it once our check has seen it in DNS.",
    "used": "The key that receivers check our signatures with.",
    "retired": "No mail is signed with it any more; leave it for mail still on its way, until it goes from this list.",
}


def _dkim(domain: str, key: PublicKey, *, signed: bool) -> Wanted:
    """Mail suffers when a key that signs is not there; or, while none does, one that could."""
    name, why = f"{key.selector}._domainkey.{domain}", _KEY_WORDS[key.state]
    if key.state == "waiting" and signed:
        return Wanted(Kind.DKIM, name, "TXT", key.record, False, NEXT_KEY)
    retired = key.state == "retired"
    return Wanted(Kind.DKIM, name, "TXT", key.record, not retired, why, leaving=retired)


def keyless(wanted: Sequence[Wanted]) -> bool:
    """Whether the domain has no key that signs or could once it is published."""
    return not any(each.kind is Kind.DKIM and not each.leaving for each in wanted)


def _tls(domain: str, service: Service) -> Iterator[Wanted]:
    host = f"mta-sts.{domain}"
    yield Wanted(
        *(Kind.MTA_STS, f"_mta-sts.{domain}", "TXT", f"v=STSv1; id={_policy_id(service.hosts)}", False),
        f"Says that https://{host}/.well-known/mta-sts.txt asks for verified TLS. Publish it once that page is there.",
    )
    yield Wanted(
        *(Kind.MTA_STS, host, "CNAME", service.hosts[0], False),
        "The web server with that page; any other will do, and needs a certificate for this name.",
    )
    yield Wanted(
        *(Kind.TLS_RPT, f"_smtp._tls.{domain}", "TXT", f"v=TLSRPTv1; rua=mailto:{service.report_address}", False),
        "Asks other servers to report when they cannot reach ours by TLS.",
    )


def mta_sts_policy(hosts: Sequence[str]) -> str:
    """The text of the page that MTA-STS points at (RFC 8461 section 3.2)."""
    lines = ("version: STSv1", "mode: enforce", *(f"mx: {host}" for host in hosts), f"max_age: {POLICY_SECONDS}")
    return "".join(f"{line}\r\n" for line in lines)


def _policy_id(hosts: Sequence[str]) -> str:
    """Another policy has another id (RFC 8461 section 3.1: up to 32 letters and digits)."""
    return hashlib.sha256(mta_sts_policy(hosts).encode()).hexdigest()[:16]
