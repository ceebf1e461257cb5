"""The databases of tests/admin."""

from tests.admin.conftest import engine, template

__all__ = ["engine", "template"]
