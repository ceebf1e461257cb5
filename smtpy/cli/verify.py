"""`smtpy verify FILE`: every verdict on a message, as it would be made if it arrived now.

SPF needs what no file holds: the client's address, its HELO name and the reverse-path. Without them it is `none`, and
DMARC rests on the signatures. Asks DNS by the settings; exits by what DMARC says: EX_NOPERM when nothing vouches for
the author, EX_TEMPFAIL when that could not be found out.
"""

import ipaddress
import os
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import Row, json_option, show_document, show_list

if TYPE_CHECKING:
    from smtpy.authn.authenticate import Origin
    from smtpy.authn.verdicts import Authentication
    from smtpy.mail.message import Field

_MBOX_LINE = re.compile(rb"From +[^ :]")
COLUMNS = ("method", "result", "of", "why")
EXIT_CODES = {"fail": os.EX_NOPERM, "permerror": os.EX_NOPERM, "temperror": os.EX_TEMPFAIL}


def _ip_address(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        return value and str(ipaddress.ip_address(value))
    except ValueError:
        raise click.BadParameter("not an IP address") from None


@click.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option("--client", default="", metavar="IP", callback=_ip_address, help="Who sent it, for SPF.")
@click.option("--helo", default="", metavar="NAME", help="What the client called itself.")
@click.option("--from", "sender", default="", metavar="ADDRESS", help="The reverse-path; default: the null one.")
@json_option
@click.pass_context
@pass_setup
def verify_command(setup: Setup, ctx: click.Context, /, file: BinaryIO, as_json: bool, **session: str) -> None:
    """Who vouches for a message: SPF, DKIM, DMARC, ARC. FILE - is standard input."""
    from smtpy.authn.authenticate import Origin
    from smtpy.authn.results import written
    from smtpy.mail.address import strip_path

    hostname = setup.settings.hostname
    origin = Origin(session["client"], session["helo"], strip_path(session["sender"]), hostname)
    found = _verdicts(setup, file.read(), origin)
    if as_json:
        show_document({**asdict(found), "authentication_results": written(hostname, found)})
    else:
        show_list(_rows(found), COLUMNS, as_json=False)
    ctx.exit(EXIT_CODES.get(found.dmarc.result.value, os.EX_OK))


def _verdicts(setup: Setup, data: bytes, origin: "Origin") -> "Authentication":
    from smtpy.authn.authenticate import authenticate, read_claims
    from smtpy.authn.suffixes import Suffixes
    from smtpy.resolver import Resolver
    from smtpy.signing.body import BodyHashes

    fields, body = _parts(data)
    claims = read_claims(fields)
    hashes = BodyHashes(claims.specs)
    hashes.update(body)
    settings = setup.settings
    dns = Resolver(settings.dns_servers, settings.dns_timeout_seconds).within(settings.authentication_seconds)
    return authenticate(claims, hashes.finish(), origin, dns, Suffixes(), datetime.now(UTC))


def _parts(data: bytes) -> tuple[tuple["Field", ...], bytes]:
    """The header as it is read everywhere, and the rest with the line ends of SMTP."""
    from smtpy.mail.envelope import Envelope
    from smtpy.mail.message import read

    fields = read(data, Envelope("", ())).fields
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    at = 0
    while at < len(lines) and _MBOX_LINE.match(lines[at]):
        at += 1
    at += sum(1 + field.value.count(b"\n") for field in fields)
    return fields, b"\r\n".join(lines[at + (lines[at : at + 1] == [b""]) :])


def _rows(found: "Authentication") -> list[Row]:
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
