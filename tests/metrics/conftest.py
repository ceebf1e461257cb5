"""Databases of both kinds, with an exporter on each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from smtpy.config import Settings, judge
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.rounds import Installation
from smtpy.metrics.server import Doctor, Exporter
from tests.admin.conftest import engine, sqlite_template, template  # noqa: F401 - fixtures


@pytest.fixture
def settings(engine: Engine, tmp_path: Path) -> Settings:  # noqa: F811
    """Those of this database."""
    return judge(
        {
            "hostname": "mx.our.example",
            "postmaster": "postmaster@inbox.example",
            "database_url": engine.url.render_as_string(hide_password=False),
            "state_dir": str(tmp_path),
            "run_dir": str(tmp_path),
            "deadline_seconds": 1,
            "secret_keys": ["k" * 32],
            "srs_secrets": ["s" * 32],
            "encryption_keys": ["e" * 32],
        }
    )


@pytest.fixture
def doctor(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """One who finds a little of everything."""
    found = [
        Finding("database", os.EX_OK, "answers"),
        Finding("dns", WARNING, "our.example: mx missing", "publish it"),
        Finding("milter", os.EX_OK, "one answers"),
        Finding("milter", os.EX_UNAVAILABLE, "one does not", "start it"),
    ]
    monkeypatch.setattr("smtpy.doctor.rounds.within", lambda _here, _seconds: found)
    return Doctor(Installation(settings, (), None))


@pytest.fixture
def exporter(settings: Settings, doctor: Doctor) -> Iterator[Exporter]:
    """What Prometheus visits."""
    opened = Exporter(settings, doctor)
    yield opened
    opened.close()
