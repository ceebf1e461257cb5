"""The town that all tests of the mail path share."""

import pytest

from tests.mailpath.town import Town, found
from tests.stand import Stand


@pytest.fixture(scope="session")
def town(stand: Stand) -> Town:
    """The session's stand, with people in it. Change nothing; aliases to be changed are made by the test."""
    found(stand)
    return Town(stand)
