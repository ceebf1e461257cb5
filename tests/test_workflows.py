"""What a code host is asked to do: the same as anywhere, by actions that nobody can exchange."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
JOBS: dict[str, dict[str, Any]] = {
    f"{file.stem}/{name}": job for file in FILES for name, job in yaml.safe_load(file.read_text())["jobs"].items()
}
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def test_ci_is_the_readme_on_an_empty_debian() -> None:
    tests = JOBS["ci/tests"]
    assert tests["container"]["image"] == "debian:12"
    prepared, fetched, run = tests["steps"]
    assert set(prepared["run"].split("&&")[-1].split()[4:]) == {"ca-certificates", "git", "make"}
    assert set(fetched) == {"uses", "with"}
    assert run == {"run": ".ci/run"}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_ends_and_may_do_little(name: str) -> None:
    assert JOBS[name]["timeout-minutes"] <= 60
    may = JOBS[name].get("permissions", {})
    assert not may or name == "updates/locks"


@pytest.mark.parametrize("name", JOBS)
def test_actions_are_pinned_and_scripts_are_there(name: str) -> None:
    for step in JOBS[name]["steps"]:
        assert PINNED.fullmatch(step.get("uses", "a/b@" + "0" * 40))
        for script in re.findall(r"(?<![\w/])(?:\.ci|requirements)/\w+", step.get("run", "")):
            assert (ROOT / script).stat().st_mode & 0o111, script


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_not_said_is_not_allowed(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] in ({}, {"contents": "read"})


def test_locks_are_for_the_floor_whichever_python_makes_them(tmp_path: Path) -> None:
    """The code host's own Python is newer than Debian's."""
    asked = tmp_path / "asked"
    (tmp_path / "uv").write_text(f'#!/bin/sh\necho "$*" >>{asked}\n')
    (tmp_path / "uv").chmod(0o755)
    environ = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([ROOT / "requirements/lock"], check=True, env=environ)
    floor = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert [f"--python-version {floor} " in each for each in asked.read_text().splitlines()] == [True] * 4
