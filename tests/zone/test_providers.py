"""Providers of DNS, known by their name servers."""

import pytest

from smtpy.zone.providers import provider_of, zones


@pytest.mark.parametrize(
    ("servers", "name"),
    [
        (("amy.ns.cloudflare.com", "bob.ns.cloudflare.com"), "Cloudflare"),
        (("NS1.REGISTRAR-SERVERS.COM.",), "Namecheap"),
        (("ns-1.awsdns-01.co.uk",), "Amazon Route 53"),
        (("hydrogen.ns.hetzner.com",), "Hetzner"),
        (("ns1.unknown.example", "ns2.gandi.net"), "Gandi"),
        (("evil-gandi.net",), None),
        (("gandi.net.evil.example",), None),
        ((), None),
    ],
)
def test_a_provider_is_known_by_the_end_of_a_name(servers: tuple[str, ...], name: str | None) -> None:
    found = provider_of(servers)
    assert (found and found.name) == name


def test_name_servers_may_stand_above() -> None:
    assert zones("a.b.our.example") == ("a.b.our.example", "b.our.example", "our.example")
    assert zones("our.example") == ("our.example",)
    assert zones("example") == ("example",)
