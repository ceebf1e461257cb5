"""`make ansible-test`: ansible/ against Debian 12 hosts that systemd has booted, from bare to messages forwarded.

ARGS names some of SCENARIOS, each a module beside this one, which tells what it shows; without, all of them. Wants
root, and what `requirements/debian ansible` installs. The last words are OK, or what was otherwise.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.ansible import one_host, playing, two_mx
from tests.ansible.world import FOLDER, INSIDE, TREE, Otherwise, apart, note, world

SCENARIOS = {"one-host": one_host, "two-mx": two_mx}


def main(names: Sequence[str]) -> None:
    """In the first process: what needs the network. In one more for each scenario: everything else."""
    if os.geteuid() != 0:
        sys.exit("this boots a Debian, which takes root: run it with sudo")
    if unknown := set(names) - set(SCENARIOS):
        sys.exit(f"there is no scenario {', '.join(unknown)}, only {', '.join(SCENARIOS)}")
    if INSIDE in os.environ:
        show(names[0])
        return
    subprocess.run([TREE / "tests/ansible/base", FOLDER], check=True, env={**os.environ, "PYTHON": sys.executable})
    failed = [name for name in names or SCENARIOS if apart([name])]
    sys.exit(f"NOT OK: {', '.join(failed)}" if failed else note("OK"))


def show(name: str) -> None:
    """One scenario."""
    began = time.monotonic()
    note(f"{name}: {SCENARIOS[name].__doc__}")
    try:
        with world(SCENARIOS[name].HOSTS) as one:
            SCENARIOS[name].show(one)
    except Otherwise as found:
        sys.exit(f"NOT OK: {name}: {found}")
    note(f"{name}: {len(playing.passed)} passed, 0 failed in {(time.monotonic() - began) / 60:.1f} min")


if __name__ == "__main__":
    main(sys.argv[1:])
