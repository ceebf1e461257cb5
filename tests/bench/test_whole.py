"""The command itself, on real Postfix and the real services, with a handful of messages."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "bench", "--rounds", "1", "--lone", "2", "--sizes", "1024", "--idle", "0")
KEYS = {"stack", "size", "recipients", "messages_per_s", "ratio", "cpu_ms", "p50_ms", "p99_ms"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that user postfix may enter, as pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="smtpy-test-bench-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "TMPDIR": str(folder), "BENCH_JSON": str(folder / "rows.json")}
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, env=environ, text=True, stdout=pipe, stderr=pipe)


def left_behind(folder: Path, bench: subprocess.Popen[str]) -> list[str]:
    """Folders, control groups, and processes that were started from the folder."""
    trees = (Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup"))
    groups = [str(each) for tree in trees for each in tree.glob(f"smtpy-bench-{bench.pid}-*")]
    processes = [command for command in command_lines() if str(folder) in command]
    return [*map(str, folder.glob("smtpy-bench-*")), *groups, *processes]


def command_lines() -> Iterator[str]:
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            yield each.read_text(errors="replace")


def test_it_measures_and_reports(folder: Path) -> None:
    bench = start(folder, "--stacks", "bare", "smtpy", "--count", "20", "--recipients", "1", "3")
    report, progress = bench.communicate(timeout=150)
    assert bench.returncode == 0, progress
    assert "### 1 KB, 3 recipients" in report
    rows = json.loads((folder / "rows.json").read_text())
    assert [(row["stack"], row["recipients"]) for row in rows] == [
        ("bare", 1),
        ("bare", 3),
        ("smtpy", 1),
        ("smtpy", 3),
    ]
    assert all(row.keys() >= KEYS for row in rows)
    assert all(row["cpu_by_component"]["milter"] > 0 for row in rows if row["stack"] == "smtpy")
    assert left_behind(folder, bench) == []


def test_it_leaves_nothing_behind_when_interrupted(folder: Path) -> None:
    bench = start(folder, "--stacks", "smtpy", "--count", "100000", "--recipients", "1")
    assert bench.stderr
    said = []
    for line in bench.stderr:
        said.append(line)
        if "round 1" in line:
            break
    bench.send_signal(signal.SIGINT)
    _, rest = bench.communicate(timeout=60)
    assert bench.returncode == 130, "".join([*said, rest])
    assert left_behind(folder, bench) == []
