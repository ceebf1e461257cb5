"""Where the conformance data lie: $SMTPY_CORPORA, else ../shared/corpora beside the checkout. Never committed.

With CI=true a missing corpus fails the test; in a clone that has none the test says that it was skipped.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("SMTPY_CORPORA") or Path(__file__).parents[2] / "shared" / "corpora")


def corpus(name: str) -> Path:
    """The folder of that corpus; skips or fails the calling test when it is not there."""
    folder = ROOT / name
    if not folder.is_dir():
        message = f"conformance corpus {name!r} is not at {ROOT} (set SMTPY_CORPORA)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder
