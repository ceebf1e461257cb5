"""`smtpy domain dns`, `smtpy domain check`, `smtpy mailbox check`: what DNS is to say of a domain, and what it says.

The exit code of a check is 1 when something required is missing or wrong: mail suffers until somebody acts. It is
EX_TEMPFAIL when nothing could be found out, else 0, with warnings and with some unknown.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smtpy.cli.acts import reading
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_document, show_list

if TYPE_CHECKING:
    from smtpy.admin.checks import Checked
    from smtpy.store.findings import Subject
    from smtpy.zone.findings import Finding
    from smtpy.zone.records import Wanted

SUFFERS = 1  # exit code


@click.command("dns")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(["zone", "json", "table"]),
    default="table",
    show_default=True,
    help="zone: lines for a zone file.",
)
@pass_setup
def dns_command(setup: Setup, name: str, form: str) -> None:
    """What to publish in DNS for a domain."""
    with reading(setup) as session:
        from smtpy.admin import checks

        wanted = checks.wanted(session, name, setup.settings)
    _FORMS[form](wanted)
    _need_a_key(name, wanted)


def _need_a_key(name: str, wanted: "Sequence[Wanted]") -> None:
    """What cannot be published yet is no record of any form."""
    from smtpy.zone.records import NO_KEY, keyless

    if keyless(wanted):
        click.echo(f"dkim, required: {NO_KEY.format(domain=name)}", err=True)


def _table(wanted: "Sequence[Wanted]") -> None:
    rows = [asdict(each) | {"need": "required" if each.required else "recommended"} for each in wanted]
    show_list(rows, ("need", "type", "name", "value"), as_json=False)


def _json(wanted: "Sequence[Wanted]") -> None:
    show_document([asdict(each) for each in wanted])


def _zone(wanted: "Sequence[Wanted]") -> None:
    from smtpy.zone.master import lines

    for line in lines(wanted):
        click.echo(line)


_FORMS: "dict[str, Callable[[Sequence[Wanted]], None]]" = {"table": _table, "json": _json, "zone": _zone}


@click.command("check")
@click.argument("name")
@json_option
@click.pass_context
@pass_setup
def domain_check_command(setup: Setup, ctx: click.Context, name: str, as_json: bool) -> None:
    """Check the DNS of a domain: expected, found, what to do."""
    from smtpy.store.findings import Subject

    with reading(setup) as session:
        from smtpy.admin import domains

        subject = Subject(domains.show(session, name).name, ours=True)
    _check(setup, ctx, subject, as_json=as_json)


@click.command("check")
@click.argument("address")
@json_option
@click.pass_context
@pass_setup
def mailbox_check_command(setup: Setup, ctx: click.Context, address: str, as_json: bool) -> None:
    """Check by DNS whether replies would be believed."""
    from smtpy.store.findings import Subject

    with reading(setup) as session:
        from smtpy.admin import mailboxes

        subject = Subject(mailboxes.show(session, address).address.rpartition("@")[2], ours=False)
    _check(setup, ctx, subject, as_json=as_json)


def _check(setup: Setup, ctx: click.Context, subject: "Subject", *, as_json: bool) -> None:
    from smtpy.cli.setup import login

    with setup.engine() as engine:
        from smtpy.admin import checks

        came = checks.check(engine, subject, setup.settings, f"cli:{login()}")
    if as_json:
        show_document([asdict(each) for each in came.findings])
    else:
        _tell(came.findings)
    for line in _news(subject.name, came):
        click.echo(line, err=as_json)
    ctx.exit(_code(came.findings))


def _news(name: str, came: "Checked") -> Iterator[str]:
    """What is not of one record."""
    from smtpy.admin.pairs import selectors, since

    if came.unreached:
        yield f"{' and '.join(came.unreached)} cannot be reached from here; see check_resolvers and the firewall"
    if came.proven:
        yield f"{name} is its owner's: its mail comes here from now on"
    if came.refusal:
        yield f"{name} cannot be switched on: {came.refusal}"
    if came.used:
        yield f"key {selectors(came.used)} of {name} sign from now on"
    if came.lingering:
        yield f"key {selectors(came.lingering)} of {name} {since(came.lingering)}"


def _code(found: "Sequence[Finding]") -> int:
    if any(each.bad for each in found):
        return SUFFERS
    return os.EX_TEMPFAIL if all(each.status == "unknown" for each in found) else os.EX_OK


def _tell(found: "Sequence[Finding]") -> None:
    """One line for what is well, four for the rest."""
    for each in found:
        need = "" if each.required or not each.todo else "  (recommended)"
        click.echo(f"{each.status.upper():8} {each.kind:9} {each.name}{need}")
        if each.todo:
            click.echo(f"{'':8}   expected  {each.expected}")
            click.echo(f"{'':8}   found     {'; '.join(each.found) or 'nothing'}")
            click.echo(f"{'':8}   to do     {each.todo}")
