"""The databases of tests/admin."""

from tests.admin.conftest import engine, sqlite_template, template

__all__ = ["engine", "sqlite_template", "template"]
