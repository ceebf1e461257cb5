"""Would replies from a mailbox be believed? What its domain publishes of SPF, DKIM and DMARC, looked at from outside.

A reply through SMTPy comes from the mailbox's own provider to us, and is taken if SPF or DKIM vouches for the domain of
its author. Here no message is at hand: which key signs is not known, so only whether there are keys can be told.
"""

from dataclasses import replace

from smtpy.authn.spf import check_spf
from smtpy.authn.suffixes import Suffixes
from smtpy.dns import Dns, DnsTrouble, texts
from smtpy.signing.result import Result
from smtpy.zone.dmarc import policy_of
from smtpy.zone.findings import Finding, Status, finding
from smtpy.zone.look import Judge, Look, Resolvers, Seen, Wants, begins, judged, shown, together
from smtpy.zone.records import Kind, Wanted
from smtpy.zone.spf import VERSION

STRANGER = "192.0.2.1"  # sends no mail (RFC 5737), so a record that lets it lets everybody
SELECTORS = ("google", "selector1", "selector2", "s1", "k1", "fm1", "protonmail", "sig1", "default", "dkim", "mail")


def judge_replies(domain: str, resolvers: Resolvers, suffixes: Suffixes) -> Seen:
    """Whether replies from mailboxes on `domain` (A-labels) would be believed, and then why."""

    def seen(dns: Dns) -> list[Finding]:
        look = Look(dns, domain, (), suffixes)
        return [judged(judge, wants, look) for wants, judge in _wanted(domain)]

    found = together(resolvers, seen)
    return replace(found, findings=(_summary(domain, *found.findings), *found.findings))


def _wanted(domain: str) -> tuple[tuple[Wants, Judge], ...]:
    spf = Wanted(Kind.SPF, domain, "TXT", "v=spf1 …", False, "Names the servers that send for the domain.")
    dkim = Wanted(Kind.DKIM, f"_domainkey.{domain}", "TXT", "v=DKIM1; p=… below it", False, "Keys of its signatures.")
    dmarc = Wanted(Kind.DMARC, f"_dmarc.{domain}", "TXT", "v=DMARC1; p=…", False, "What to do with what is forged.")
    return (((spf,), _judge_spf), ((dkim,), _judge_keys), ((dmarc,), _judge_policy))


def _judge_spf(wants: Wants, look: Look) -> Finding:
    told = [shown(each) for each in texts(look.dns, look.domain) if begins(each, VERSION)]
    if not told:
        todo = f"Ask whoever runs mail for {look.domain} to publish SPF."
        return finding(wants, Status.MISSING, (), todo)
    result = check_spf(STRANGER, look.domain, f"postmaster@{look.domain}", look.domain, look.dns)
    if result.result is Result.TEMPERROR:
        raise DnsTrouble(result.why)
    if result.result is Result.PERMERROR:
        return finding(wants, Status.WRONG, told, f"Receivers ignore it ({result.why}): have it corrected.")
    if told[0].lower().split()[1:] == ["-all"]:
        return finding(wants, Status.WRONG, told, "It says that the domain sends no mail at all: have it corrected.")
    if result.result is Result.PASS:
        return finding(wants, Status.WARNING, told, "It lets everybody in the world send: have it corrected.")
    return finding(wants, Status.OK, told)


def _judge_keys(wants: Wants, look: Look) -> Finding:
    """Names below `_domainkey` make it exist (RFC 8020); some servers get that wrong, so usual selectors are tried."""
    if look.dns.ask(wants[0].name, "TXT").exists:
        return finding(wants, Status.OK, ("there are names below it",))
    for selector in SELECTORS:
        if look.dns.ask(f"{selector}.{wants[0].name}", "TXT").records:
            return finding(wants, Status.OK, (f"a key named {selector}",))
    todo = "Its mail seems not to be signed. Ask whoever runs it for DKIM."
    return finding(wants, Status.MISSING, (), todo)


def _judge_policy(wants: Wants, look: Look) -> Finding:
    policy = policy_of(look)
    if not policy.policy:
        todo = f"Without DMARC anybody can write in the name of {look.domain}. Ask whoever runs it for a policy."
        return finding(wants, Status.MISSING, (), todo)
    return finding(wants, Status.OK, (f"{policy.record_domain} asks for {policy.policy}",))


def _summary(domain: str, spf: Finding, dkim: Finding, dmarc: Finding) -> Finding:
    """One of SPF and DKIM is enough, as it is for DMARC (RFC 9989 section 4.4)."""
    wants = (Wanted(Kind.REPLIES, domain, "TXT", "SPF or DKIM", True, ""),)
    works = (Status.OK, Status.WARNING)
    vouching = [each.kind.upper() for each in (spf, dkim) if each.status in works]
    if vouching:
        return finding(wants, Status.OK, (f"replies can pass by {' and '.join(vouching)}",))
    if unknown := [each for each in (spf, dkim) if each.status is Status.UNKNOWN]:
        return finding(wants, Status.UNKNOWN, ("DNS did not answer",), unknown[0].todo)
    harm = f" and {domain} itself asks for that ({dmarc.found[0]})" if dmarc.status in works else ""
    todo = (
        f"Replies from {domain} cannot be told from forged ones, so they may be refused{harm}. Have SPF or DKIM set up "
        "for it, or use a mailbox elsewhere."
    )
    return finding(wants, Status.MISSING, (), todo)
