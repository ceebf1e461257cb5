"""The stand that other tests stand on: Postfix does not outlive whoever made it, however they end."""

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
stand = Stand(())
stand.open()
print(stand.folder, stand.pid("postfix"), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(bool(ROOT), reason="sudo stands between, which hears of no death")
def test_postfix_does_not_outlive_its_maker() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKER], cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as maker:
        assert maker.stdout
        folder, pid = maker.stdout.readline().decode().split()
        assert Path("/proc", pid).exists()
        maker.send_signal(signal.SIGKILL)
    until(lambda: not Path("/proc", pid).exists(), "Postfix ended")
    subprocess.run(["rm", "-rf", folder], check=True)
