"""docs/hosts.md compared with the tests: each row of its tables names some, and they exist."""

import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
DOCUMENT = TESTS.parent / "docs" / "hosts.md"
NAME = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Of tables with a column of tests: what a row is about, and the tests that it names."""
    proves = False
    for line in DOCUMENT.read_text("utf-8").splitlines():
        cells = line.strip("|").split("|")
        if not line.startswith("|"):
            proves = False
        elif cells[-1].strip() == "test":
            proves = True
        elif proves and not line.startswith("|--"):
            yield cells[0].strip(), NAME.findall(cells[-1])


def test_each_row_names_a_test_that_exists() -> None:
    found = list(rows())
    assert len(found) > 20
    wrong = [what for what, named in found if not named]
    for what, named in found:
        for path, name in named:
            source = (TESTS / path).read_text("utf-8") if (TESTS / path).exists() else ""
            if not re.search(rf"^def {name}\(", source, re.M):
                wrong.append(f"{what}: {path}::{name}")
    assert wrong == []
