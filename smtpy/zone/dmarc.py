"""What a domain's DMARC policy asks of receivers, wherever it stands: at the domain itself or above it (RFC 9989)."""

from smtpy.authn.discovery import parse_record
from smtpy.authn.dmarc import Dmarc, check_dmarc
from smtpy.authn.spf import Spf
from smtpy.dns import DnsTrouble, texts
from smtpy.signing.result import Result
from smtpy.zone.findings import Finding, Status, finding
from smtpy.zone.look import Look, Wants, absent, begins, shown

VERSION = b"v=dmarc1"


def judge_dmarc(wants: Wants, look: Look) -> Finding:
    """One record that asks for more than reports."""
    found = texts(look.dns, wants[0].name)
    records = [each for each in found if begins(each, VERSION)]
    told = [shown(each) for each in records]
    if len(records) > 1:
        return finding(wants, Status.WRONG, told, f"Two void each other: keep one, such as {wants[0].value}")
    policy = policy_of(look)
    if records and policy.record_domain != look.domain:
        return finding(wants, Status.WRONG, told, f"Receivers cannot read it: change it to {wants[0].value}")
    if not policy.policy:
        return absent(wants, look, found)
    if not records:
        told = [f"that of {policy.record_domain}, which asks for {policy.policy}"]
    if policy.policy == "none":
        todo = f"It asks receivers for nothing but reports. Once those are good, change it to {wants[0].value}"
        return finding(wants, Status.WARNING, told, todo)
    if records and (read := parse_record(look.domain, records[0])) and read.test:
        todo = "Take t=y away once the reports are good: until then receivers do one step less than it says."
        return finding(wants, Status.WARNING, told, todo)
    return finding(wants, Status.OK, told)


def policy_of(look: Look) -> Dmarc:
    """What mail of the domain that nothing vouches for would get. Raises DnsTrouble."""
    nothing = Spf(Result.NONE, look.domain, "mailfrom", "")
    found = check_dmarc(look.domain, nothing, (), look.dns, look.suffixes)
    if found.result is Result.TEMPERROR:
        raise DnsTrouble(found.why)
    return found
