"""`smtpy audit tail`: who changed what, as text and JSON, and what comes while it is watched."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import ANN, Run
from tests.waiting import until


def test_the_newest_come_last(house: Run) -> None:
    house("alias", "off", "sales@our.example")
    lines = house("audit", "tail", "-n", "2").output.splitlines()
    assert lines[-1].endswith(" alias.off alias sales@our.example enabled=true->false")
    assert " alias.add alias sales@our.example " in lines[0]
    assert "cli:" in lines[0]
    assert house("audit", "tail", "-n", "0").output == ""


def test_what_is_looked_for(house: Run) -> None:
    rows = [json.loads(line) for line in house("audit", "tail", "--act", "user", "--json").output.splitlines()]
    assert [(row["act"], row["subject"]) for row in rows] == [("user.add", f"user {ANN}")]
    assert house("audit", "tail", "--subject", "*NOTHING").output == ""
    assert house("audit", "tail", "--actor", "cli:", "--act", "domain.add").output.count("\n") == 1


def test_what_comes_is_shown_as_it_comes(house: Run, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [str(Path(sys.executable).parent / "smtpy"), "--config", str(config), "audit", "tail", "-f", "-n", "1"]
    with out.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        try:
            until(lambda: b"alias.add" in out.read_bytes(), "what was")
            house("alias", "off", "sales@our.example")
            until(lambda: b"alias.off" in out.read_bytes(), "what came")
        finally:
            process.terminate()
            process.wait(20)
