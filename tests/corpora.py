"""Where the conformance data lie: $SMTPY_CORPORA, else ../shared/corpora beside the checkout. Never committed.

`bad_inputs` and `octets` read the one that is a file of cases. With CI=true a missing corpus fails the test; in a clone
that has none the test says that it was skipped.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def bad_inputs(*areas: str) -> dict[str, dict[str, Any]]:
    """The cases of these areas in the corpus of hostile inputs, by id; those only described in words included."""
    text = (corpus("bad-inputs") / "bad-inputs.yml").read_text("utf-8")
    return {case["id"]: case for case in yaml.safe_load(text)["cases"] if case["area"] in areas}


def is_described(case: dict[str, Any]) -> bool:
    """Whether its input is told in words, for a test to make."""
    return case.get("input", "").startswith("(")


def octets(case: dict[str, Any]) -> bytes:
    """The message of a case: octets where all characters are below U+0100, else UTF-8."""
    make = case.get("make")
    text = make["prefix"] + make["unit"] * make["count"] + make["suffix"] if make else case["input"]
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
