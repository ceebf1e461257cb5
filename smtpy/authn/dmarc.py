"""DMARC (RFC 9989): does a domain that vouches for the message belong to its author, and what if none does?

Works on one author's domain, the SPF verdict and the DKIM verdicts; asks DNS for policy records as late as it can.
A failed look-up, here or in SPF or DKIM where that could have changed the answer, is temperror and never fail.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from smtpy.authn.discovery import Policy, Record, Walks
from smtpy.authn.spf import Spf
from smtpy.authn.suffixes import Suffixes
from smtpy.dns import Dns, DnsTrouble, Kind
from smtpy.mail.address import is_within
from smtpy.signing.result import Result

# t=y asks for one step less (RFC 9989 section 4.7)
ONE_LESS: dict[Policy, Policy] = {"reject": "quarantine", "quarantine": "none", "none": "none"}
SOME_RECORD: tuple[Kind, ...] = ("A", "AAAA", "MX")


class Vouched(Protocol):
    """What DMARC needs to know of a DKIM signature."""

    @property
    def result(self) -> Result:
        """Whether it holds."""

    @property
    def domain(self) -> str:
        """Its d=, in A-labels."""


@dataclass(frozen=True, slots=True)
class Dmarc:
    """`policy` is what the owner asks for if the message fails, after sp=, np= and t=; "" without a record.

    `record_domain` is where the record was found. `why` is empty on a pass.
    """

    result: Result
    policy: Policy | Literal[""]
    domain: str
    record_domain: str
    aligned_spf: bool
    aligned_dkim: bool
    why: str


@dataclass(frozen=True, slots=True)
class Sought:
    """What DNS told about an author's domain: the verdict if nothing vouches for it, and what to judge by."""

    verdict: Dmarc
    record: Record | None
    walks: Walks | None


def without_record(result: Result, why: str, domain: str = "") -> Sought:
    """A verdict that stands before anything is known of SPF and DKIM."""
    return Sought(Dmarc(result, "", domain, "", aligned_spf=False, aligned_dkim=False, why=why), None, None)


def check_dmarc(domain: str, spf: Spf, dkim: Iterable[Vouched], dns: Dns, suffixes: Suffixes) -> Dmarc:
    """The verdict on an author's domain, given in A-labels. Raises nothing."""
    return judge(seek(domain, dns, suffixes), spf, list(dkim))


def seek(domain: str, dns: Dns, suffixes: Suffixes) -> Sought:
    """What the owner of an author's domain asks for, before anything is known of the message.

    Asked first of all, so that a sender whose own DNS is slow cannot use up the time for it.
    """
    domain, walks = _plain(domain), Walks(dns, suffixes)
    if not domain or domain.startswith("["):
        return without_record(Result.NONE, "the author's address has no domain name", domain)
    try:
        record = walks.record(domain)
        if record is None:
            return without_record(Result.NONE, f"{domain} has no DMARC record", domain)
        policy = _policy(domain, record, dns)
    except DnsTrouble:  # whose text names our resolvers, and this one goes out in a field
        return without_record(Result.TEMPERROR, f"the DMARC record of {domain} could not be had", domain)
    with suppress(DnsTrouble):  # then the name itself can still be aligned
        walks.organization(domain)
    why = f"neither SPF nor DKIM vouches for {domain}"
    return Sought(Dmarc(Result.FAIL, policy, domain, record.domain, False, False, why), record, walks)


def judge(sought: Sought, spf: Spf, dkim: Sequence[Vouched]) -> Dmarc:
    """The verdict, now that SPF and DKIM are known. A temperror keeps its policy: it may yet turn into a fail."""
    verdict, record, walks = sought.verdict, sought.record, sought.walks
    if record is None or walks is None:
        return verdict
    by_spf = _aligned(verdict.domain, [spf], record.aspf_strict, walks)
    by_dkim = _aligned(verdict.domain, dkim, record.adkim_strict, walks)
    result, why = verdict.result, verdict.why
    if Result.PASS in (by_spf, by_dkim):
        result, why = Result.PASS, ""
    elif Result.TEMPERROR in (by_spf, by_dkim):
        result, why = Result.TEMPERROR, f"what vouches for {verdict.domain} could not be checked"
    aligned_spf, aligned_dkim = by_spf is Result.PASS, by_dkim is Result.PASS
    return replace(verdict, result=result, why=why, aligned_spf=aligned_spf, aligned_dkim=aligned_dkim)


def _aligned(author: str, vouchers: Sequence[Vouched], strict: bool, walks: Walks) -> Result:
    """PASS if one that passed is of the author's organisation; TEMPERROR if one might be."""
    worst = Result.FAIL
    for each in sorted(vouchers, key=lambda voucher: voucher.result is not Result.PASS):
        if each.result not in (Result.PASS, Result.TEMPERROR):
            continue
        try:
            if _same(author, _plain(each.domain), strict, walks):
                return each.result
        except DnsTrouble:
            if walks.could_be_one(author, _plain(each.domain)):  # a stranger's signature makes no verdict milder
                worst = Result.TEMPERROR
    return worst


def _same(author: str, domain: str, strict: bool, walks: Walks) -> bool:
    """Whether two names align (RFC 9989 section 4.4). Raises DnsTrouble."""
    if author == domain:
        return True
    if strict or not domain:
        return False
    organization = walks.organization(author)
    if not is_within(domain, organization):  # no question can make it the organisation of the other name
        return False
    return walks.organization(domain) == organization


def _policy(domain: str, record: Record, dns: Dns) -> Policy:
    """p= for the name that publishes it, sp= below, np= where no such name exists (section 4.7). Raises DnsTrouble."""
    policy = record.p
    if record.domain != domain:
        policy = record.sp if record.np == record.sp or _exists(domain, dns) else record.np
    return ONE_LESS[policy] if record.test else policy


def _exists(domain: str, dns: Dns) -> bool:
    """Whether the name could receive mail: RFC 9989 section 3.2.13 wants an A, AAAA or MX record."""
    for kind in SOME_RECORD:
        answer = dns.ask(domain, kind)
        if answer.records or not answer.exists:
            return answer.exists
    return False


def _plain(domain: str) -> str:
    return domain.rstrip(".").lower()
