"""`smtpy key`: the DKIM keys of domains, from their making to their end.

`domain add` makes the first pair, `rotate` those that follow. A pair is used as soon as `smtpy domain check`, or the
worker, has seen it in DNS.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from smtpy.cli.acts import after_option, limit_option, reading
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_list

if TYPE_CHECKING:
    from smtpy.admin.pairs import KeyView

COLUMNS = ("domain", "selector", "algorithm", "state", "opens", "seen_at", "used_from", "retired_at")


@click.group("key")
def key_command() -> None:
    """Keys that sign the mail of a domain."""


@key_command.command("list")
@click.argument("domain", required=False)
@json_option
@after_option
@limit_option
@pass_setup
def list_(setup: Setup, domain: str | None, as_json: bool, after: int, limit: int) -> None:
    """List the keys of a domain, the newest first, or those of all. One that does not open signs nothing."""
    with reading(setup) as session:
        from smtpy.admin import keys

        found = keys.of_domain(session, domain) if domain else keys.page(session, after=after, limit=limit)
        lost = {each.id for each in keys.unopened(session, setup.vault, [each.id for each in found])}
    show_list([_row(each, lost) for each in found], COLUMNS, as_json=as_json)
    if not domain and len(found) == limit:
        click.echo(f"there may be more: --after {found[-1].id}", err=True)


def _row(key: "KeyView", lost: set[int]) -> dict[str, Any]:
    return {**asdict(key), "name": key.name, "opens": key.id not in lost}


@key_command.command()
@click.argument("domain")
@pass_setup
def rotate(setup: Setup, domain: str) -> None:
    """Make a new pair of keys, to be published and then used."""
    with setup.change() as c:
        from smtpy.admin import keys

        made = keys.rotate(c, domain)
    click.echo("publish these; they are used as soon as `smtpy domain check` or the worker has seen them:")
    for each in made:
        click.echo(f"{each.name} TXT {each.record}")


@key_command.command()
@click.argument("domain")
@click.option("--now", is_flag=True, help="Do not look for them in DNS.")
@pass_setup
def use(setup: Setup, domain: str, now: bool) -> None:
    """Sign with the pair that waits, and retire the keys before it."""
    if not now:
        raise click.UsageError(f"`smtpy domain check {domain}` uses keys that DNS shows; --now uses them in any case")
    with setup.change() as c:
        from smtpy.admin import keys
        from smtpy.admin.pairs import selectors

        used = keys.use(c, domain)
    click.echo(f"{selectors(used)} of {domain} sign from now on")


@key_command.command()
@click.argument("domain")
@click.argument("selector")
@pass_setup
def retire(setup: Setup, domain: str, selector: str) -> None:
    """Sign with a key no more. If it ever did, its record has to stay for mail that is on its way."""
    with setup.change() as c:
        from smtpy.admin import keys

        retired = keys.retire(c, domain, selector)
    gone = f"; nothing was ever signed with it, so take {retired.name} out of DNS" if retired.unneeded else ""
    click.echo(f"key {selector} of {domain} is retired{gone}")


@key_command.command()
@click.argument("domain")
@click.argument("selector")
@pass_setup
def delete(setup: Setup, domain: str, selector: str) -> None:
    """Take a retired key away for good, as the worker does after key_retire_days."""
    with setup.change() as c:
        from smtpy.admin import keys

        gone = keys.delete(c, domain, selector)
    click.echo(f"deleted key {selector} of {domain}; take {gone.name} out of DNS")
