"""Whether a domain's mail comes to our hosts, and to nobody else (RFC 5321 section 5.1, RFC 7505)."""

import re
from collections.abc import Sequence

from smtpy.zone.findings import Finding, Status, finding
from smtpy.zone.look import Look, Wants, publish

_ADDRESS = re.compile(r"[0-9.]+\Z|.*:")
_STRANGE = "where our aliases are not known: take that away, unless it passes mail to us."


def judge_mx(wants: Wants, look: Look) -> Finding:
    """All our hosts and no other; at least one of ours, or mail does not come."""
    records = _records(look)
    told = [f"MX {preference} {name or '.'}" for preference, name in records]
    theirs = {name for _, name in records} - set(look.hosts)
    lacking = [each for each in wants if each.value.partition(" ")[2] not in {name for _, name in records}]
    if not records:
        return finding(wants, Status.MISSING, (), _all(wants))
    if len(lacking) == len(wants):
        return finding(wants, Status.WRONG, told, f"{_why(theirs, look)} {_all(wants)}".strip())
    if theirs:
        return finding(wants, Status.WARNING, told, _split(records, look))
    if lacking:
        todo = f"{_all(lacking)} (mail comes all the same, and still does when one of our hosts is down)"
        return finding(wants, Status.WARNING, told, todo)
    return finding(wants, Status.OK, told)


def _records(look: Look) -> list[tuple[int, str]]:
    found = (each for each in look.dns.ask(look.domain, "MX").records if isinstance(each, tuple))
    return sorted((preference, name.lower().rstrip(".")) for preference, name in found)


def _all(wants: Wants) -> str:
    return "; ".join(publish(each) for each in wants)


def _why(names: set[str], look: Look) -> str:
    """What is wrong with names none of which is ours."""
    if "" in names:
        return "The record says that the domain takes no mail at all (RFC 7505): take it away."
    if doubled := [host for host in look.hosts if f"{host}.{look.domain}" in names]:
        return f"The name of our host became {doubled[0]}.{look.domain}: write a final dot after {doubled[0]}."
    if any(_ADDRESS.match(name) for name in names):
        return "An MX record names a host, never an address: take it away."
    return f"Mail goes to {_listed(names)}: take that away when its mail is to come here."


def _split(records: Sequence[tuple[int, str]], look: Look) -> str:
    """Some of the hosts are ours."""
    if any(not name for _, name in records):
        return "The MX of a single dot says that the domain takes no mail at all (RFC 7505): take it away."
    ours = min(preference for preference, name in records if name in look.hosts)
    theirs = {name for _, name in records if name not in look.hosts}
    first = any(preference < ours for preference, name in records if name not in look.hosts)
    if first:
        return f"Most mail goes to {_listed(theirs)}, {_STRANGE}"
    return f"Some mail goes to {_listed(theirs)}, {_STRANGE}"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(name or "." for name in names))
