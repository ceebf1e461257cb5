"""Waiting for more at a terminal, until Ctrl-C."""

import contextlib
import signal
from collections.abc import Callable, Iterator

Rest = Callable[[float], bool]


@contextlib.contextmanager
def following() -> Iterator[Rest]:
    """Gives `rest(seconds)`, which says whether to go on, and is where Ctrl-C is heard.

    As an exception it might come while a library calls back, and be lost there.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield lambda seconds: signal.sigtimedwait({signal.SIGINT}, seconds) is None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
