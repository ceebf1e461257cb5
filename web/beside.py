"""Work beside a request: for what the page must not wait for, or must not betray by the time it takes.

There is no queue: what is under way when the process ends is lost, so only letters that can be asked for again, and
counts, are done here.
"""

import logging
from collections.abc import Callable
from threading import Thread

from smtpy.admin.outages import Outage, named
from smtpy.notices.post import Undelivered

log = logging.getLogger("smtpy.web")


def start(work: Callable[[], object]) -> None:
    """Have it done now, by a thread of its own."""
    Thread(target=_edge, args=(work,), name="beside", daemon=True).start()


def _edge(work: Callable[[], object]) -> None:
    """The page is gone: what stood in the way can only be logged."""
    try:
        with named():
            work()
    except (Undelivered, Outage) as why:
        log.warning("left undone: %s", why)
    except Exception:
        log.exception("left undone")
