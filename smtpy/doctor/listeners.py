"""Where Postfix listens for SMTP, read from master.cf and main.cf: whoever looks from within has to ask there.

A service without a host listens as inet_interfaces says (postconf(5)). Names of services are those of /etc/services.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

SMTP = 25
PROXIED = {"smtpd": "smtpd_upstream_proxy_protocol", "postscreen": "postscreen_upstream_proxy_protocol"}
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not listened at


@dataclass(frozen=True, slots=True)
class Listener:
    """`host` is where to ask it. `wrapped`: TLS from the first octet. `proxied`: it speaks to a proxy of ours only."""

    name: str
    host: str
    port: int
    inward: bool  # nobody outside this host reaches it
    wrapped: bool = False
    proxied: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def listeners(
    commands: Mapping[str, str], overrides: Mapping[str, Mapping[str, str]], values: Mapping[str, str]
) -> Iterator[Listener]:
    """`commands` and `overrides` (`-o`) by service, as `127.0.0.1:25/inet`; `values`: main.cf, with defaults."""
    for service, command in commands.items():
        name, _, kind = service.rpartition("/")
        program = command.partition(" ")[0]
        if kind != "inet" or program not in PROXIED:
            continue
        host, _, port = name.rpartition(":")
        said = {**values, **overrides.get(service, {})}
        with suppress(OSError):  # master(8) could not listen there, either
            at, inward = _address(host.strip("[]"), said)
            wrapped, proxied = said.get("smtpd_tls_wrappermode") == "yes", bool(said.get(PROXIED[program]))
            yield Listener(name, at, _number(port), inward, wrapped, proxied)


def _number(port: str) -> int:
    return int(port) if port.isdigit() else socket.getservbyname(port, "tcp")


def _address(host: str, values: Mapping[str, str]) -> tuple[str, bool]:
    """Where to connect, and whether only this host can."""
    if host:
        return ANY.get(host, host), _inward(host)
    loopback = "::1" if values.get("inet_protocols") == "ipv6" else "127.0.0.1"
    interfaces = values.get("inet_interfaces", "all").replace(",", " ").split()
    if "all" in interfaces or "loopback-only" in interfaces:
        return loopback, "all" not in interfaces
    named = [each.strip("[]") for each in interfaces]
    return named[0] if named else loopback, all(map(_inward, named))


def _inward(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
