"""What is right and wrong with the records of a domain, seen through several resolvers.

Forgiven is what receivers forgive: letter case, final dots, how a text was cut into strings, blanks, the order of tags.
Each kind of record has a judge; a question without an answer makes its finding `unknown`, whoever asked it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from smtpy.authn.suffixes import Suffixes
from smtpy.dns import Dns, texts
from smtpy.zone.dkim import judge_dkim, no_key
from smtpy.zone.dmarc import judge_dmarc
from smtpy.zone.findings import Finding, Status, finding
from smtpy.zone.look import Judge, Look, Resolvers, Seen, Wants, absent, begins, judged, publish, shown, together
from smtpy.zone.mx import judge_mx
from smtpy.zone.records import OWNERSHIP, Kind, Wanted, keyless
from smtpy.zone.spf import judge_spf


def judge(
    domain: str, hosts: tuple[str, ...], wanted: Sequence[Wanted], resolvers: Resolvers, suffixes: Suffixes
) -> Seen:
    """A finding for each kind and name that is wanted, in that order; before them that there is no key, if so."""
    groups = [tuple(group) for _, group in groupby(wanted, key=lambda each: (each.kind, each.name))]

    def seen(dns: Dns) -> list[Finding]:
        look = Look(dns, domain, hosts, suffixes)
        return [judged(_judge, group, look) for group in groups]

    found = together(resolvers, seen)
    return replace(found, findings=(no_key(domain), *found.findings)) if keyless(wanted) else found


def _judge(wants: Wants, look: Look) -> Finding:
    # A CNAME at the domain itself takes the place of every other record there (RFC 1034 section 3.6.2).
    if wants[0].name == look.domain and (aliases := look.dns.ask(look.domain, "CNAME").records):
        return _judge_covered(wants, look, str(aliases[0]))
    return _JUDGES[wants[0].kind](wants, look)


def _judge_covered(wants: Wants, look: Look, target: str) -> Finding:
    todo = (
        f"Replace the CNAME at {look.domain} by A and AAAA records (some providers call that ALIAS or flattening): "
        f"beside a CNAME no other record can stand. Then: {publish(wants[0])}"
    )
    return finding(wants, Status.WRONG, (f"CNAME {target}",), todo)


def _judge_ownership(wants: Wants, look: Look) -> Finding:
    found = texts(look.dns, wants[0].name)
    said = [each.strip().lower() for each in found]
    if wants[0].value.encode() in said:
        return finding(wants, Status.OK, [wants[0].value])
    if any(each.startswith(OWNERSHIP.encode()) for each in said):
        todo = f"It is of another service, or of an earlier try. {publish(wants[0])}"
        return finding(wants, Status.WRONG, [shown(each) for each in found], todo)
    return absent(wants, look, found)


def _one_of(version: bytes, needs: bytes) -> Judge:
    """The judge of a text of which there is to be one, and which has to say something."""

    def one(wants: Wants, look: Look) -> Finding:
        found = texts(look.dns, wants[0].name)
        ours = [each for each in found if begins(each, version)]
        if not ours:
            return absent(wants, look, found)
        told = [shown(each) for each in ours]
        if len(ours) > 1:
            return finding(wants, Status.WRONG, told, f"Two void each other: keep one, {wants[0].value}")
        if needs not in ours[0].lower().replace(b" ", b""):
            return finding(wants, Status.WRONG, told, f"It lacks {needs.decode()}: change it to {wants[0].value}")
        return finding(wants, Status.OK, told)

    return one


def _judge_mta_sts(wants: Wants, look: Look) -> Finding:
    if wants[0].type == "TXT":
        return _one_of(b"v=stsv1", b";id=")(wants, look)
    host = wants[0].name
    found = [str(each) for kind in ("A", "AAAA") for each in look.dns.ask(host, kind).records]
    return finding(wants, Status.OK, found) if found else finding(wants, Status.MISSING, (), publish(wants[0]))


_JUDGES: dict[Kind, Judge] = {
    Kind.OWNERSHIP: _judge_ownership,
    Kind.MX: judge_mx,
    Kind.SPF: judge_spf,
    Kind.DKIM: judge_dkim,
    Kind.DMARC: judge_dmarc,
    Kind.MTA_STS: _judge_mta_sts,
    Kind.TLS_RPT: _one_of(b"v=tlsrptv1", b";rua="),
}
