"""SIGKILL at random under traffic. All that was accepted is delivered, returned or recorded, each once.

`pauses` are the seconds between two kills, the shortest and the longest.
"""

import os
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from random import Random

import pytest

from tests.failures.conftest import Opener
from tests.failures.traffic import Post, assert_nothing_lost, drain, letters
from tests.stand import Stand

SEED = 20261123


def kill_a_worker(stand: Stand, random: Random) -> None:
    with suppress(ProcessLookupError, IndexError):  # both may be dead at the moment
        os.kill(random.choice(stand.workers("milter")), signal.SIGKILL)


def kill_and_start(stand: Stand, random: Random) -> None:
    name = random.choice(("lookup", "policy"))
    stand.kill(name)
    stand.start(name)


@pytest.mark.parametrize(
    ("kill", "number", "pauses"),
    [(kill_a_worker, 1000, (0.05, 0.5)), (kill_and_start, 300, (0.1, 0.6))],
    ids=["milter workers", "lookup and policy"],
)
def test_nothing_is_lost(
    opened: Opener, kill: Callable[[Stand, Random], None], number: int, pauses: tuple[float, float]
) -> None:
    every, random, kills = letters(number, Random(SEED)), Random(SEED), 0
    with opened() as village:
        post = Post(village)
        with ThreadPoolExecutor(1) as office:
            sending = office.submit(post.send_all, every)
            # Here and not in a thread: what is started by a thread ends with it (PR_SET_PDEATHSIG in the stand).
            while not wait([sending], timeout=random.uniform(*pauses)).done:
                kill(village, random)
                kills += 1
        sending.result()
        drain(village)
        assert kills > 5
        assert next(post.retries) > 0, "nobody noticed"
        assert_nothing_lost(village, every)
        # Two copies in one session to the second pass share its broken milter connection, too.
        assert not re.findall(r"postfix/split/smtp\[.* conn_use=.*", village.maillog())
