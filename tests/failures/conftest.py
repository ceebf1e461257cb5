"""Stands which may be broken: one for each file, made whole again after each test."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.failures.village import settle
from tests.stand import Stand

Opener = Callable[..., AbstractContextManager[Stand]]


@contextmanager
def _village(**options: Any) -> Iterator[Stand]:
    stand = Stand(**options)
    try:
        stand.open()
        settle(stand)
        yield stand
    finally:
        stand.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Stand]:
    """A village of three services."""
    with _village() as stand:
        yield stand


@pytest.fixture
def village(shared: Stand) -> Iterator[Stand]:
    """The file's village, all services up, whatever the test before did to them."""
    yield shared
    for name in shared.services:
        if shared.runs(name):
            shared.signal(name, signal.SIGCONT)
        else:
            shared.start(name)


@pytest.fixture(scope="session")
def opened() -> Opener:
    """Opens a village that is not as the others; takes what Stand takes."""
    return _village
