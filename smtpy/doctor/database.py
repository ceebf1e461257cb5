"""The database: whether it answers, is of this version, and holds nothing that stands against the settings."""

import os
from collections.abc import Iterator

from sqlalchemy import Engine

from smtpy.admin.outages import Outage, named
from smtpy.config import Settings
from smtpy.doctor import clock, outward
from smtpy.doctor.codes import OUTAGES
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.upkeep import upkeep
from smtpy.store import migrate
from smtpy.store.directory import SqlDirectory
from smtpy.store.engine import open_engine


def examine(settings: Settings) -> Iterator[Finding]:
    """Asked through connections of its own."""
    try:
        with named():
            engine = open_engine(settings.database_url, deadline=settings.deadline_seconds)
            try:
                found = list(_look(settings, engine))
            finally:
                engine.dispose()
    except Outage as outage:
        words, _, fix = str(outage).partition("; ")
        found = [Finding("database", OUTAGES[type(outage)], words, fix)]
    yield from found


def _look(settings: Settings, engine: Engine) -> Iterator[Finding]:
    current, head = migrate.current(engine), migrate.head()
    if current != head:
        words = f"it is at {current or 'nothing'}, and this version needs {head}"
        ahead = current is not None and not migrate.knows(current)
        fix = "install the newer version here, too" if ahead else "run `smtpy init`"
        yield Finding("database", os.EX_CONFIG, words, fix)
        return
    yield Finding("database", os.EX_OK, f"it is at {head}, the head of its migrations")
    yield from _names(settings, engine)
    yield from clock.against(engine)
    yield from upkeep(settings, engine)
    yield from outward.examine(engine)


def _names(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """The roles of the host must not depend on a domain of ours."""
    directory, host = SqlDirectory(engine, settings.srs_max_age_days), settings.hostname
    if directory.domain(host):
        words = f"hostname {host} is a domain of ours, too, so the roles of the host do not exist"
        yield Finding("settings", os.EX_CONFIG, words, f"run `smtpy domain delete {host}`, or choose another hostname")
    if directory.domain(settings.postmaster.rpartition("@")[2]):
        words = f"postmaster {settings.postmaster} is on a domain of ours, so the roles of the host rest on an alias"
        yield Finding("settings", WARNING, words, "name an address elsewhere as postmaster")
