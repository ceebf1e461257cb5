"""docs/doctor.md tells of every finding that the checks have, by subject and code, and of no other."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from smtpy.doctor.codes import OUTAGES
from smtpy.doctor.rounds import CHECKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "doctor.md").read_text("utf-8")
SOURCES = (*sorted((ROOT / "smtpy" / "doctor").glob("*.py")), ROOT / "smtpy" / "cli" / "doctor.py")
# Where a call names no subject or code itself.
SUBJECTS = {"service": ("lookup", "policy", "milter"), "subject": ("any",)}
CODES = {"trouble.code": (os.EX_CONFIG,), "OUTAGES[type(outage)]": tuple(OUTAGES.values()), "WARNING": (1,)}


def findings() -> Iterator[tuple[str, int]]:
    """Subject and code of all that is made in the source and is not well."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                subject, code = map(ast.unparse, node.args[:2])
                codes = CODES[code] if code in CODES else (getattr(os, code.removeprefix("os.")),)
                yield from (
                    (each, one) for each in SUBJECTS.get(subject, (subject.strip("'"),)) for one in codes if one
                )


def test_every_finding_is_on_the_page() -> None:
    rows = re.findall(r"^\| `?(\w+)`? \| (\d+) \|", PAGE, re.M)
    listed = [(subject, int(code)) for subject, code in rows]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(findings())


def test_every_subject_and_every_code_is_explained() -> None:
    told = set(re.findall(r"\*\*(\w+)\*\*", PAGE))
    subjects = {subject for subject, _ in findings()} - {"any"} | {subject for subject, _ in CHECKS}
    assert told == subjects
    codes = {int(code) for code in re.findall(r"^\| (\d+) \| ", PAGE, re.M)}
    assert codes == {0, os.EX_USAGE} | {code for _, code in findings()}
