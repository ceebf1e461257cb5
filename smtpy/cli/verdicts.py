"""Verdicts on a message for the commands that show them: asked of DNS by the settings, told a line each."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smtpy.cli.setup import Setup
from smtpy.cli.show import Row

if TYPE_CHECKING:
    from smtpy.authn.authenticate import Origin
    from smtpy.authn.verdicts import Authentication
    from smtpy.mail.message import Field
    from smtpy.signing.body import BodyDigest, BodySpec

COLUMNS = ("method", "result", "of", "why")

F = TypeVar("F", bound=Callable[..., None])


def _ip_address(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return value and str(ipaddress.ip_address(value))
    except ValueError:
        raise click.BadParameter("not an IP address") from None


def sender_option(command: F) -> F:
    """The reverse-path of an SMTP session; it may have what Postfix lets in, so long local parts above all."""
    option = click.option(
        *("--from", "sender"),
        default="",
        metavar="ADDRESS",
        callback=_path,
        help="The reverse-path; default: the null one.",
    )
    return option(command)


def _path(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    from smtpy.mail.address import ANY_LENGTH, BadAddress, parse_path, strip_path

    path = strip_path(value)
    try:
        if path:
            parse_path(path, max_local=ANY_LENGTH)
    except BadAddress as bad:
        raise click.BadParameter(f"{value!r} is not an address: {bad}") from None
    return path


def session_options(command: F) -> F:
    """What of an SMTP session SPF asks for, and no file holds."""
    helo = click.option("--helo", default="", metavar="NAME", help="What the client called itself.")
    client = click.option("--client", default="", metavar="IP", callback=_ip_address, help="Who sent it, for SPF.")
    return client(helo(command))


def verdicts(setup: Setup, fields: Sequence["Field"], body: bytes, origin: "Origin") -> "Authentication":
    """What would be found if a message came so, now."""
    from smtpy.authn.authenticate import authenticate, read_claims
    from smtpy.authn.suffixes import Suffixes
    from smtpy.resolver import Resolver

    claims, settings = read_claims(fields), setup.settings
    dns = Resolver(settings.dns_servers, settings.dns_timeout_seconds).within(settings.authentication_seconds)
    return authenticate(claims, digests(body, claims.specs), origin, dns, Suffixes(), datetime.now(UTC))


def digests(body: bytes, specs: frozenset["BodySpec"]) -> Mapping["BodySpec", "BodyDigest"]:
    """The hashes of a body with the line ends of SMTP."""
    from smtpy.signing.body import BodyHashes

    hashes = BodyHashes(specs)
    hashes.update(body)
    return hashes.finish()


def rows(found: "Authentication") -> list[Row]:
    """A line a verdict."""
    spf, arc, dmarc = found.spf, found.arc, found.dmarc
    signatures: list[dict[str, Any]] = [
        {
            "method": "dkim",
            "result": each.result,
            "of": f"{each.domain} {each.selector} {each.algorithm}",
            "why": each.why,
        }
        for each in found.dkim
    ]
    asks = f" asks to {dmarc.policy}" if dmarc.policy in ("reject", "quarantine") else ""
    return [
        {"method": "spf", "result": spf.result, "of": f"{spf.domain} ({spf.identity})", "why": spf.why},
        *(signatures or [{"method": "dkim", "result": "none", "of": "", "why": ""}]),
        {"method": "arc", "result": arc.result, "of": ", ".join(arc.sealers), "why": arc.why},
        {"method": "dmarc", "result": dmarc.result, "of": f"{dmarc.domain}{asks}", "why": dmarc.why},
    ]
