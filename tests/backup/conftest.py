"""The databases of tests/store, and a settings object with a key for backups."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyrage import x25519

from smtpy.config import Settings, judge
from tests.store.conftest import database_url, engine, postgres_template, sqlite_template

__all__ = ["database_url", "engine", "postgres_template", "sqlite_template"]


@pytest.fixture
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture
def settings(tmp_path: Path, identity: x25519.Identity) -> Callable[[str], Settings]:
    """Settings on that database."""

    def of(url: str) -> Settings:
        return judge(
            {
                "hostname": "mx.our.example",
                "postmaster": "postmaster@inbox.example",
                "state_dir": str(tmp_path),
                "database_url": url,
                "secret_keys": "s" * 40,
                "srs_secrets": "r" * 20,
                "encryption_keys": ["e" * 40, "f" * 40],
                "backup_recipients": str(identity.to_public()),
            }
        )

    return of
