"""Options that set something: a value, or nothing for "leave it as it is"."""

from typing import Any

import click

WHEN_OFF = ("reject", "defer", "drop")
ON_DMARC = ("refuse", "hold", "tag", "deliver")
MODES = ("transparent",)  # private needs reply addresses; admin refuses it too

when_off_option = click.option(
    "--when-off", type=click.Choice(WHEN_OFF), help="What senders are told while it is switched off."
)
mode_option = click.option("--mode", type=click.Choice(MODES), help="How mail is forwarded.")
role_option = click.option(
    "--role",
    type=click.Choice(("admin", "user")),
    default="user",
    show_default=True,
    help="admin: may do everything, for everybody.",
)
MAX_NUMBER = 2**63 - 1  # what a BIGINT column holds, and SQLite's driver
NONE = "none"  # the word that takes a choice away


def chosen(**options: Any) -> dict[str, Any]:
    """The options that were given, read: enumerations by name, "none" as None."""
    from smtpy.directory.entries import Mode, OnDmarc, WhenOff

    read = {
        "when_off": WhenOff,
        "mode": Mode,
        "default_mode": Mode,
        "on_reject": OnDmarc,
        "on_quarantine": OnDmarc,
    }
    given = {name: value for name, value in options.items() if value not in (None, ())}
    return {
        name: None if value == NONE and name != "note" else read[name](value) if name in read else value
        for name, value in given.items()
    }
