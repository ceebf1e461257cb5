"""Packages that are imported only where a setting wants them, and installed only there: extras of pyproject.toml."""

from importlib import import_module
from types import ModuleType


class NotInstalled(Exception):
    """A setting wants a package that is not there; in words that say what to do."""


def load(name: str, *, wanted_by: str, extra: str) -> ModuleType:
    """That module. Raises NotInstalled."""
    try:
        return import_module(name)
    except ImportError:
        words = f"{wanted_by} takes packages that are not installed: pip install 'smtpy[{extra}]', or unset it"
        raise NotInstalled(words) from None
