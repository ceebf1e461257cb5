"""docs/security.md compared with the tests: each statement has tests that bear its number, or says why not."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \|$", re.M)
NAME = re.compile(r"def (test_(\d+)(?:_to_(\d+)|_(\d+))?_[a-z]\w*)\(")
STATEMENTS = range(1, 53)


def numbers(first: str, to: str, other: str) -> set[int]:
    """Which statements a test's name speaks of."""
    return set(range(int(first), int(to or first) + 1)) | ({int(other)} if other else set())


@cache
def proving() -> dict[str, set[int]]:
    """Every test that bears numbers, with them."""
    found: dict[str, set[int]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name, *parts in NAME.findall(path.read_text()):
            found[name] = found.get(name, set()) | numbers(*parts)
    return found


def rows() -> Iterator[tuple[int, str, str]]:
    for number, words, proof in ROW.findall((ROOT / "docs" / "security.md").read_text()):
        yield int(number), words, proof


def test_every_statement_has_its_row() -> None:
    assert [number for number, _, _ in rows()] == list(STATEMENTS)


def test_what_a_row_names_is_a_test_of_that_number() -> None:
    wrong = []
    for number, _, proof in rows():
        names = re.findall(r"`(\w+)`", proof)
        wrong += [(number, name) for name in names if number not in proving().get(name, set())]
        if not names and not proof.startswith("not yet: "):
            wrong.append((number, proof))
    assert wrong == []


def test_what_is_not_yet_has_no_test() -> None:
    waiting = {number for number, _, proof in rows() if proof.startswith("not yet: ")}
    proved = set().union(*proving().values())
    assert proved == set(STATEMENTS) - waiting


def test_52_what_is_installed_is_locked_by_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        pins = re.findall(r"^(\S+)==.*?(?=^\S|\Z)", path.read_text(), re.M | re.S)
        unlocked = [
            pin for pin in re.split(r"^(?=[a-z])", path.read_text(), flags=re.M)[1:] if "--hash=sha256:" not in pin
        ]
        assert pins, path.name
        assert unlocked == [], path.name
    assert re.findall(r"install .*-r ", (ROOT / "Makefile").read_text()) == []
    assert (ROOT / "Makefile").read_text().count("$(pip) --require-hashes") == 2


def test_52_code_is_scanned_for_what_is_dangerous() -> None:
    """`S` are bandit's rules. In what is installed none is left out; each exception stands at its line, with a why."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"S", "PLE2502"} <= set(lint["select"])
    assert not [rule for rule in lint["ignore"] if rule.startswith("S")]
    assert not [path for path in lint["per-file-ignores"] if path.startswith(("smtpy", "web", "migrations"))]
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in ("smtpy", "web", "migrations")
        for path in (ROOT / package).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"# noqa(?:: S\d+)?(?:, S\d+)*\s*$", line)
    ]
    assert bare == []
