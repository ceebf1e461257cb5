"""The stand that other tests stand on: nothing of it outlives whoever made it, however they end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stand import ROOT
from tests.waiting import until

MAKER = """
import sys
from tests.stand import Stand
stand = Stand(("lookup",))
stand.open()
print(stand.folder, stand.pid("postfix"), stand.pid("lookup"), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(bool(ROOT), reason="sudo stands between, which hears of no death")
def test_nothing_outlives_its_maker() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKER], cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as maker:
        assert maker.stdout
        folder, *pids = maker.stdout.readline().decode().split()
        assert [Path("/proc", pid).exists() for pid in pids] == [True, True]
        maker.send_signal(signal.SIGKILL)
    until(lambda: not [pid for pid in pids if Path("/proc", pid).exists()], "everything ended")
    subprocess.run(["rm", "-rf", folder], check=True)
