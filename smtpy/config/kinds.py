"""The kinds of values that settings have: how each is read from text, and the rule it is refused by.

Rules raise ValueError with words that contain no value, which may be secret.
"""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    ValidationInfo,
)

from smtpy.mail.address import parse, parse_domain
from smtpy.net import Endpoint
from smtpy.routing.internal import is_internal


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("a path here is absolute")
    return path


def _hostname(text: str) -> str:
    if text.startswith("["):
        raise ValueError("a host name, not an address literal")
    return parse_domain(text)


def _postmaster(text: str, info: ValidationInfo) -> str:
    if parse(text).domain == info.data.get("hostname"):
        raise ValueError("mail to the service's own hostname goes to this address, so it must be elsewhere")
    return _outside(text)


def _outside(text: str) -> str:
    address = parse(text)
    if is_internal(address.domain):
        raise ValueError(f"{address.domain} is used within the service; name an address elsewhere")
    if not address.ascii:  # RFC 6531 section 3.4: it needs SMTPUTF8, which a message in ASCII does not leave with
        raise ValueError("many servers take an address in ASCII only; name such a one")
    return str(address)


def _endpoint(value: object) -> Endpoint:
    return value if isinstance(value, Endpoint) else Endpoint.parse(str(value))


def _unix(endpoint: Endpoint) -> Endpoint:
    if endpoint.path is None:
        raise ValueError("the milter listens on a UNIX socket (unix:/path): TCP costs 44 ms a message or more")
    return endpoint


def _local(endpoint: Endpoint) -> Endpoint:
    if endpoint.path is None:
        raise ValueError("the queue helper listens on a UNIX socket (unix:/path), whose mode says who may ask")
    return endpoint


def _port(endpoint: Endpoint) -> Endpoint:
    if endpoint.path is not None:
        raise ValueError("Prometheus asks by HTTP on a TCP port (inet:host:port)")
    return endpoint


def _database(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.path.startswith("//"):
        raise ValueError("the path of a SQLite database is absolute: sqlite:////absolute/path")
    if parts.scheme not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError("a database URL is sqlite:////absolute/path or postgresql://user@host/name")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("the port of a database URL is a number from 0 to 65535") from None
    return url


def _standby(url: str, info: ValidationInfo) -> str:
    if url and not all(str(each).startswith("postgresql") for each in (url, info.data.get("database_url"))):
        raise ValueError("a standby is PostgreSQL's: both this and database_url are postgresql://user@host/name")
    return url and _database(url)


def _at_least(length: int) -> Callable[[SecretStr], SecretStr]:
    def check(secret: SecretStr) -> SecretStr:
        if len(secret) < length:
            raise ValueError(f"a secret here has at least {length} characters; `smtpy init` makes good ones")
        return secret

    return check


def standing_on(key: str, pattern: str) -> Any:
    """A default that stands on another setting."""
    return Field(default_factory=lambda given: pattern.replace(f"{{{key}}}", str(given[key])))


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError("an origin is https://host, with :port if it is another; nothing behind it")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _counters(url: str) -> str:
    if urlsplit(url).scheme not in ("memory", "redis", "rediss", "redis+unix"):
        raise ValueError("counters are kept in memory:// (one web process), redis://host:port or redis+unix:///path")
    return url


def _dsn(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.username or not parts.path.strip("/")):
        raise ValueError("a DSN is https://key@host/project, as Sentry shows it")
    return url


def _recipient(text: str) -> str:
    from pyrage import RecipientError, x25519  # only whoever makes backups needs it

    try:
        x25519.Recipient.from_str(text)
    except RecipientError:
        raise ValueError("a key for backups is age1..., as `smtpy backup --new-key FILE` prints it") from None
    return text


def _with_recipients(folder: Path, info: ValidationInfo) -> Path:
    if not info.data.get("backup_recipients"):
        raise ValueError("backups are sealed; say for which keys, by backup_recipients")
    return folder


def _words(value: object) -> object:
    """A list may be written as one text, with white space between."""
    return value.split() if isinstance(value, str) else value


def _hosts(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_hostname, names))


def _ip_address(value: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(str(value))
    except ValueError:
        raise ValueError("an address here is an IP address, as 192.0.2.1 or 2001:db8::1") from None


class DnsServer(NamedTuple):
    """A DNS server, as `smtpy.resolver` takes one."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.host if self.port == 53 else f"{host}:{self.port}"


def _network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(str(value))
    except ValueError:
        raise ValueError("a network is an address, or written 192.0.2.0/24 with no bit set behind its length") from None


def _dns_server(value: object) -> DnsServer:
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`."""
    text = str(value)
    found = _WITH_PORT.match(text)
    try:
        host = str(ipaddress.ip_address(found["v6"] or found["v4"] if found else text))
    except ValueError:
        raise ValueError("a DNS server is an IP address, with a port as 192.0.2.1:53 or [2001:db8::1]:53") from None
    port = int(found["port"]) if found else 53
    if not 1 <= port <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return DnsServer(host, port)


_WITH_PORT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})\Z")

# `title` is what docs/settings.md calls a value of this kind.
Listed = BeforeValidator(_words)
Folder = Annotated[Path, AfterValidator(_absolute), Field(title="absolute path")]
Hostname = Annotated[str, AfterValidator(_hostname), Field(title="host name")]
Hostnames = Annotated[tuple[str, ...], Listed, AfterValidator(_hosts), Field(title="list of host names")]
Postmaster = Annotated[str, AfterValidator(_postmaster), Field(title="address")]
ReportAddress = Annotated[str, AfterValidator(_outside), Field(title="address")]
Database = Annotated[str, AfterValidator(_database), Field(repr=False, title="URL")]
Standby = Annotated[str, AfterValidator(_standby), Field(repr=False, title="URL")]
Origin = Annotated[str, AfterValidator(_origin), Field(title="URL")]
Counters = Annotated[str, AfterValidator(_counters), Field(repr=False, title="URL")]
Dsn = Annotated[str, AfterValidator(_dsn), Field(repr=False, title="URL")]
Listen = Annotated[Endpoint, PlainValidator(_endpoint), PlainSerializer(str), Field(title="endpoint")]
Listens = Annotated[tuple[Listen, ...], Listed, Field(min_length=1, title="list of endpoints")]
Unix = Annotated[Listen, AfterValidator(_unix)]
Port = Annotated[Listen, AfterValidator(_port)]
Local = Annotated[Listen, AfterValidator(_local)]
DnsServers = Annotated[
    tuple[Annotated[DnsServer, PlainValidator(_dns_server), PlainSerializer(str)], ...],
    Listed,
    Field(title="list of DNS servers"),
]
IpAddress = Annotated[ipaddress.IPv4Address | ipaddress.IPv6Address, PlainValidator(_ip_address), PlainSerializer(str)]
IpAddresses = Annotated[tuple[IpAddress, ...], Listed, Field(title="list of IP addresses")]
Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, PlainValidator(_network), PlainSerializer(str)]
Networks = Annotated[tuple[Network, ...], Listed, Field(title="list of networks")]
Keys = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_at_least(32))], ...],
    Listed,
    Field(min_length=1, title="list of secrets"),
]
Recipients = Annotated[tuple[Annotated[str, AfterValidator(_recipient)], ...], Listed, Field(title="list of keys")]
BackupFolder = Annotated[Folder, AfterValidator(_with_recipients)]
SrsSecrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_at_least(16))], ...],
    Listed,
    Field(min_length=1, title="list of secrets"),
]
