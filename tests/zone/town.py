"""A domain as it should be, and a way to change something about it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from smtpy.authn.suffixes import Suffixes
from smtpy.zone.findings import Finding
from smtpy.zone.judge import judge
from smtpy.zone.look import Resolvers, Seen
from smtpy.zone.records import PublicKey, Service, expected
from tests.dns import Zone

DOMAIN = "our.example"
HOST = "mx.smtpy.example"
UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SERVICE = Service((HOST,), "reports@smtpy.example")
ED = "v=DKIM1; k=ed25519; p=wHdFnmyBv0k25mAa60GqGKpdPrfB3LzCFYeNJVSVsRc="
RSA = (
    "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0I0brJ/2klD+uj4geYgXk0BiK1IQOKE2J3tWv7k1IZBTN22vY7JC"
    "GaODcFz5WCFVJG94NJ2GH5nUuzx0vjc/+QSSCLx+VjtcHMHcRiC5sE7Vgz47DSi1ixaj+bhWWYNqM5abh9dEj9IOVNy1WsI2LohrB7wPrMY1BRfE/IFK"
    "qthD1hv4cvEj0bW0nouIrBB/BIMlYA80/Vep9yo1MXzNRTL1Bf60IUnCSOe2ia/8gQlZrvqkC89qBLIkZe7TFxyEEiBxHHFuoQiJBkKnEUV3PWE+SK3J"
    "Fjczk0bskLmB5fCuOKFOnhCWVauWUrb2NoEbA4anurkavTMUgRuIrGHgvwIDAQAB"
)
KEYS = (PublicKey("s1", RSA, "used"), PublicKey("s2", ED, "used"))

Names = dict[str, Any]


def zone(domain: str = DOMAIN, **changes: Any) -> Names:
    """All names of a domain that is well. Changes are by first label, or `apex`; None takes a name away."""
    names: Names = {
        "_smtpy": {"TXT": [f"smtpy-verification={UUID}"]},
        "apex": {"MX": [(10, HOST)], "TXT": ["v=spf1 mx -all"]},
        "s1": {"TXT": [RSA]},
        "s2": {"TXT": [ED]},
        "_dmarc": {"TXT": ["v=DMARC1; p=reject"]},
        "_mta-sts": {"TXT": ["v=STSv1; id=1"]},
        "mta-sts": {"A": ["198.51.100.7"]},
        "_smtp._tls": {"TXT": ["v=TLSRPTv1; rua=mailto:tls@our.example"]},
    }
    names |= changes
    long = {"apex": domain, "s1": f"s1._domainkey.{domain}", "s2": f"s2._domainkey.{domain}"}
    placed = {
        long.get(label, label if label.endswith(".example") else f"{label}.{domain}"): names[label] for label in names
    }
    hosts = {HOST: {"A": ["198.51.100.25"], "AAAA": ["2001:db8::25"]}}
    return {name: records for name, records in (hosts | placed).items() if records is not None}


def resolvers(*views: Names) -> Resolvers:
    """Resolvers that show these."""
    return {f"192.0.2.{number}": partial(Zone, view) for number, view in enumerate(views, 1)}


def findings(*views: Names, domain: str = DOMAIN, service: Service = SERVICE) -> dict[str, Finding]:
    """What is said of a domain seen so by one or more resolvers, by the first label (`mx` and `spf` at the apex)."""
    found = seen(*views, domain=domain, service=service).findings
    return {str(each.kind) if each.name == domain else each.name.partition(".")[0]: each for each in found}


def seen(*views: Names, domain: str = DOMAIN, service: Service = SERVICE, keys: Sequence[PublicKey] = KEYS) -> Seen:
    """All that is said of a domain seen so by one or more resolvers."""
    return judge(domain, service.hosts, expected(domain, UUID, keys, service), resolvers(*views), Suffixes())
