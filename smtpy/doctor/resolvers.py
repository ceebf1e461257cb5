"""The DNS servers of the settings: each is asked one question which every one of them can answer, who serves the root.

One that is silent stops no mail, but each message may wait for it. One that does not validate (DNSSEC) believes whoever
is fast enough to answer in another's place, and SPF, DKIM and DMARC are what DNS says.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from smtpy.config import Settings
from smtpy.config.kinds import DnsServer
from smtpy.dns import DnsTrouble
from smtpy.doctor.finding import WARNING, Finding
from smtpy.resolver import system_servers, vouches

AT_ONCE = 8
OWN = "have a resolver of your own that validates, such as unbound on this host, and name it in dns_servers"


@dataclass(frozen=True, slots=True)
class Asked:
    """A server; `loss` when it is silent. `believed`: what it says of senders counts."""

    where: str
    server: DnsServer
    loss: str
    believed: bool


def examine(settings: Settings) -> Iterator[Finding]:
    """All at once, since a silent one takes its time."""
    source, servers = "dns_servers", settings.dns_servers
    if not servers:
        source = "/etc/resolv.conf"
        try:
            servers = tuple(DnsServer(*each) for each in system_servers())
        except DnsTrouble as trouble:
            yield Finding("resolvers", WARNING, f"{trouble}, so nothing is known of senders", "set dns_servers")
    wait = f"each message may wait for it, up to {settings.authentication_seconds:g} s"
    asked = [Asked(source, each, wait, believed=True) for each in servers]
    without = "checks go without what it shows"
    asked += [Asked("check_resolvers", each, without, believed=False) for each in settings.check_resolvers]
    with ThreadPoolExecutor(AT_ONCE) as crew:
        yield from crew.map(lambda each: _found(each, settings.dns_timeout_seconds), asked)


def _found(asked: Asked, timeout: float) -> Finding:
    server, where, loss = asked.server, asked.where, asked.loss
    try:
        valid = vouches(server, timeout)
    except DnsTrouble as trouble:
        wrong, fix = str(trouble).rpartition(f"{server.host} ")[2], f"see {where} and the firewall"
        return Finding("resolvers", WARNING, f"{server} of {where} {wrong}; {loss}", fix)
    if valid:
        return Finding("resolvers", os.EX_OK, f"{server} of {where} answers, and validates")
    if asked.believed:
        words = f"{server} of {where} does not validate (DNSSEC), so what it says of senders may be forged"
        return Finding("resolvers", WARNING, words, OWN)
    return Finding("resolvers", os.EX_OK, f"{server} of {where} answers")
