"""Outages as codes of sysexits(3), for findings and for the exit of commands. Their words come with them."""

import os

from smtpy.admin.outages import Away, Closed, NotReady, Outage

OUTAGES: dict[type[Outage], int] = {
    Away: os.EX_TEMPFAIL,
    NotReady: os.EX_CONFIG,
    Closed: os.EX_NOPERM,
}
