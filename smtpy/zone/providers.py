"""Who keeps the DNS of a domain, known by the names of its name servers, and where records are entered there.

A help and no more: the table holds what many people have, and what is not in it is told by the name servers alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """`place`: where to go in its pages. `adds_domain`: it adds the domain to the name of a record by itself."""

    name: str
    place: str
    adds_domain: bool = True


_KNOWN: tuple[tuple[str, Provider], ...] = (
    ("ns.cloudflare.com", Provider("Cloudflare", "the domain, DNS, Records (switch the proxy off for a CNAME)")),
    ("domaincontrol.com", Provider("GoDaddy", "My Products, DNS, Add New Record")),
    ("registrar-servers.com", Provider("Namecheap", "Domain List, Manage, Advanced DNS")),
    ("gandi.net", Provider("Gandi", "Domain, DNS Records")),
    ("ovh.net", Provider("OVHcloud", "Web Cloud, Domain names, DNS zone")),
    ("ovh.ca", Provider("OVHcloud", "Web Cloud, Domain names, DNS zone")),
    ("hetzner.com", Provider("Hetzner", "DNS, the zone, Records")),
    ("hetzner.de", Provider("Hetzner", "DNS, the zone, Records")),
    ("your-server.de", Provider("Hetzner konsoleH", "Services, DNS entries", adds_domain=False)),
    ("digitalocean.com", Provider("DigitalOcean", "Networking, Domains")),
    ("linode.com", Provider("Akamai Linode", "Domains, the domain")),
    ("vultr.com", Provider("Vultr", "Network, DNS")),
    ("inwx.de", Provider("INWX", "Nameserver, the domain")),
    ("ui-dns.com", Provider("IONOS", "Domains & SSL, the domain, DNS")),
    ("ui-dns.de", Provider("IONOS", "Domains & SSL, the domain, DNS")),
    ("rzone.de", Provider("STRATO", "Domains, DNS administration")),
    ("netcup.net", Provider("netcup", "Domains, DNS")),
    ("porkbun.com", Provider("Porkbun", "Domain Management, DNS")),
    ("squarespacedns.com", Provider("Squarespace", "Domains, DNS, Custom records")),
    ("googledomains.com", Provider("Squarespace", "Domains, DNS, Custom records")),
    ("wixdns.net", Provider("Wix", "Domains, Manage DNS Records")),
    ("name-services.com", Provider("Enom", "Domains, Host Records")),
    ("dnsimple.com", Provider("DNSimple", "the domain, DNS, Record editor")),
    ("desec.io", Provider("deSEC", "Domain Management, the domain")),
    ("desec.org", Provider("deSEC", "Domain Management, the domain")),
    ("infomaniak.ch", Provider("Infomaniak", "Domains, DNS zone")),
    ("transip.net", Provider("TransIP", "Domain, DNS")),
    ("transip.nl", Provider("TransIP", "Domain, DNS")),
    ("he.net", Provider("Hurricane Electric", "dns.he.net, the zone", adds_domain=False)),
    ("azure-dns.com", Provider("Azure", "DNS zones, Record sets")),
    ("nsone.net", Provider("NS1", "Zones, the zone")),
)
_AMAZON = Provider("Amazon Route 53", "Hosted zones, Create record")


def provider_of(nameservers: Sequence[str]) -> Provider | None:
    """The provider whose name servers these are; None: not one of the table."""
    for name in (each.lower().rstrip(".") for each in nameservers):
        if ".awsdns-" in name:
            return _AMAZON
        for end, provider in _KNOWN:
            if name == end or name.endswith(f".{end}"):
                return provider
    return None


def zones(name: str) -> tuple[str, ...]:
    """The names at which the name servers of a domain may stand: its own and those above, but no top-level one."""
    labels = name.split(".")
    return tuple(".".join(labels[start:]) for start in range(max(len(labels) - 1, 1)))
