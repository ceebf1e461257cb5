"""Refusals and outages as exit codes (those of outages in smtpy.doctor.codes). Their words come with them.

Imported with the database only: nothing here is needed by a command that asks no database.
"""

import contextlib
import os
from collections.abc import Iterator

from smtpy.admin.outages import Outage, named
from smtpy.admin.refusals import AlreadyThere, InTrash, InUse, Invalid, NotFound, Refusal
from smtpy.cli.setup import Trouble
from smtpy.doctor.codes import OUTAGES

REFUSALS: dict[type[Refusal], int] = {
    NotFound: os.EX_NOUSER,
    Invalid: os.EX_DATAERR,
    AlreadyThere: os.EX_CANTCREAT,
    InTrash: os.EX_CANTCREAT,
    InUse: os.EX_UNAVAILABLE,
}


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Within the block, refusals and outages become Trouble; the rest stays what it is."""
    try:
        with named():
            yield
    except Refusal as refusal:
        raise Trouble(REFUSALS[type(refusal)], refusal.message) from None
    except Outage as outage:
        raise Trouble(OUTAGES[type(outage)], str(outage)) from outage
