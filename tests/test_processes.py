"""Whatever runs is named in each place that runs, shows or watches it: CONTRIBUTING.md lists them for who adds one."""

import re
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
import yaml

from smtpy.cli import COMMANDS
from smtpy.doctor.rounds import CHECKS

ROOT = Path(__file__).parents[1]
# Those of `smtpy NAME`, and two that are started otherwise.
PROCESSES = {name for name, (module, _) in COMMANDS.items() if module == "services"} | {"web", "queue"}
PLACES: dict[str, Callable[[str], Collection[str]]] = {
    "docker-compose.yml": lambda text: yaml.safe_load(text)["services"],
    "ansible/roles/smtpy/defaults/main.yml": lambda text: yaml.safe_load(text)["smtpy_units"],
    "demo/Procfile": lambda text: re.findall(r"^(\w+):", text, re.M),
    "monitoring/vector.toml": lambda text: [
        unit.removeprefix("smtpy-") for unit in tomllib.loads(text)["sources"]["smtpy"]["include_units"]
    ],
    "smtpy/doctor/rounds.py": lambda _: [name for name, _ in CHECKS],
    "docs/docker.md": lambda text: re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", text, re.M))),
    "docs/architecture.md": lambda text: re.findall(r"^\| (\w+)(?: helper)? \| `", text, re.M),
}
ABSENT = {
    ("demo/Procfile", "metrics"): "nobody is there to ask it",
    ("smtpy/doctor/rounds.py", "worker"): "it has no socket; that it works is seen in the database",
    ("smtpy/doctor/rounds.py", "metrics"): "it is who asks the doctor",
}


@pytest.mark.parametrize("place", PLACES)
def test_each_process_is_named(place: str) -> None:
    named = PLACES[place]((ROOT / place).read_text("utf-8"))
    missing = {name for name in PROCESSES if name not in named}
    assert missing == {name for where, name in ABSENT if where == place}


def test_who_adds_one_is_told_of_each_place() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [place for place in ("smtpy/cli/services.py", *PLACES) if f"`{place}`" not in told] == []
