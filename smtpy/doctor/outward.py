"""Whether this host reaches other servers on port 25, which many providers of servers keep shut.

No stranger's server is asked for that: Postfix tries all day, and its log, which the worker reads, tells how that went.
So on a host that has sent nothing yet this is not known.
"""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from smtpy.doctor.finding import WARNING, Finding
from smtpy.store.attempts import Tried, latest

LOOKED_AT = timedelta(hours=24)
MOST = 500  # attempts, the last ones
SEVERAL = 3  # servers: one or two may be down themselves
_REACHED = re.compile(r"\[(?!127\.|::1)[^\]]+\]:25$")
_SHUT = re.compile(r"connect to \S+\[([^\]]+)\]:25: (?:Connection timed out|No route to host)")


def examine(engine: Engine) -> Iterator[Finding]:
    """A finding for each host that is shut in; none for those that are not, or of which nothing is known."""
    tried = latest(engine, datetime.now(UTC) - LOOKED_AT, MOST)
    hosts = dict.fromkeys(each.host for each in tried)
    for host in hosts:
        yield from judged(host, [each for each in tried if each.host == host])


def judged(host: str, tried: Iterable[Tried]) -> Iterator[Finding]:
    """What the attempts of one host say."""
    shut = set[str]()
    for each in tried:
        if _REACHED.search(each.relay or ""):
            yield Finding("outward", os.EX_OK, f"{host} reaches other servers on port 25")
            return
        shut.update(_SHUT.findall(each.words or ""))
    if len(shut) >= SEVERAL:
        number = len(shut)
        words = f"{host} reached none of {number} servers on port 25, and no other"
        fix = "have whoever provides the host open port 25 outward, or set relayhost in main.cf"
        yield Finding("outward", WARNING, words, fix)
