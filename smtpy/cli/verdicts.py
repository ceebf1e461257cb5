"""What the commands that tell verdicts on a message (smtpy.explain) ask for, and how they ask DNS."""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from smtpy.cli.setup import Setup

if TYPE_CHECKING:
    from smtpy.dns import Dns

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


def asking(setup: Setup) -> "Callable[[], Dns]":
    """Opens a way to ask DNS for one set of verdicts."""
    from smtpy.resolver import Resolver

    settings = setup.settings
    resolver = Resolver(settings.dns_servers, settings.dns_timeout_seconds)
    return lambda: resolver.within(settings.authentication_seconds)
