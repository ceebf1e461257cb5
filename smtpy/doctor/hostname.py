"""What the world sees of this host by DNS: its addresses, and whether each leads to the name that Postfix says in HELO.

Large receivers refuse mail from an address without a name, or whose name does not lead back (RFC 1912 section 2.1).
Where all mail leaves by a relay it is the relay's name that counts. What DNS does not answer is no finding.
"""

import os
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from smtpy.config import Settings
from smtpy.dns import Dns, DnsTrouble
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.postfix import NoPostfix, Postfix
from smtpy.resolver import Resolver

SECONDS = 6.0  # for all questions together


def examine(settings: Settings, folder: Path | None) -> Iterator[Finding]:
    """The way to the host, then the way back from each address."""
    said = main_cf(folder)
    try:
        yield from _look(settings, said, asking(settings))
    except DnsTrouble as trouble:
        yield Finding("hostname", os.EX_OK, f"could not be asked: {trouble}")


def _look(settings: Settings, said: Mapping[str, str], dns: Dns) -> Iterator[Finding]:
    addresses = addresses_of(dns, settings.hostname)
    if not addresses:
        words = f"{settings.hostname} has no address in DNS, so nothing reaches it by that name"
        yield Finding("hostname", WARNING, words, "publish an A record, or correct hostname")
    if relay := said.get("relayhost"):
        yield Finding("hostname", os.EX_OK, f"mail leaves by {relay}, whose name counts, not that of this host")
        return
    name = said.get("smtp_helo_name", settings.hostname).lower()
    forth = addresses if name == settings.hostname else addresses_of(dns, name)
    leaving = map(str, settings.outgoing_addresses or addresses)
    yield from (_way_back(dns, address, name, forth) for address in leaving if _spoken(address, said))
    yield from (_unspoken(address) for address in addresses if not _spoken(address, said))


def _spoken(address: str, said: Mapping[str, str]) -> bool:
    protocols = said.get("inet_protocols", "all")
    return protocols == "all" or f"ipv{ip_address(address).version}" in protocols


def _unspoken(address: str) -> Finding:
    words = f"{address} is in DNS, and Postfix does not speak its protocol, so other servers try it in vain first"
    return Finding("hostname", WARNING, words, "set inet_protocols to all, or take the record away")


def _way_back(dns: Dns, address: str, name: str, forth: tuple[str, ...]) -> Finding:
    back = [str(each).lower() for each in dns.ask(ip_address(address).reverse_pointer, "PTR").records]
    fix = f"have whoever gave you the address set its PTR record to {name}"
    if not back:
        return Finding("hostname", WARNING, f"{address} has no name in DNS (PTR), so many servers refuse its mail", fix)
    if name not in back:
        words = f"{address} is called {', '.join(sorted(back))} in DNS (PTR), and Postfix says {name}"
        return Finding("hostname", WARNING, words, fix)
    if address not in forth:
        words = f"{name} does not lead to {address}, from which mail leaves"
        return Finding("hostname", WARNING, words, "publish an A or AAAA record, or correct outgoing_addresses")
    return Finding("hostname", os.EX_OK, f"{address} is {name}, there and back")


def asking(settings: Settings) -> Dns:
    """One way to ask for one look."""
    return Resolver(settings.dns_servers, settings.dns_timeout_seconds).within(SECONDS)


def addresses_of(dns: Dns, name: str) -> tuple[str, ...]:
    """Those of a name. Raises DnsTrouble."""
    return tuple(str(each) for kind in ("A", "AAAA") for each in dns.ask(name, kind).records)


def main_cf(folder: Path | None) -> Mapping[str, str]:
    """What main.cf says; nothing, where Postfix is on another host."""
    try:
        return Postfix(folder).values()
    except NoPostfix:
        return {}
