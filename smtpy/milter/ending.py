"""The end of a message: decide, say so, record. What memory can decide is answered at once, in the event loop; what
takes DNS or the database is decided in threads, so that nobody else waits for it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from smtpy.directory.questions import Unavailable
from smtpy.directory.resolve import TRY_AGAIN
from smtpy.mail.reply import Reply
from smtpy.milter import protocol
from smtpy.milter.apply import apply
from smtpy.milter.desk import Desk, MustWait
from smtpy.milter.session import Asked, Ended, Offer
from smtpy.routing.arrival import Arrival
from smtpy.routing.outcome import Plan, Verdict
from smtpy.serving import Answer

NOT_NOW = Reply(451, "4.3.0", "The message cannot be handled now, try again later")
THREADS = 128  # messages that wait; more than Postfix has smtpds (default_process_limit is 100)

log = logging.getLogger("smtpy.milter")

Decide = Callable[[Ended], tuple[Arrival, Plan]]


class Endings:
    """Offers and messages in, packets out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._threads = ThreadPoolExecutor(THREADS, "message")

    def answer(self, asked: Asked) -> Answer:
        """The packets, or what will give them."""
        if isinstance(asked, Offer):
            return asked.agreed
        try:
            return self._told(asked, self._desk.decide_at_once)
        except MustWait:
            return self._later(asked)

    async def _later(self, ended: Ended) -> bytes:
        waiting = asyncio.get_running_loop().run_in_executor(self._threads, self._told, ended, self._desk.decide)
        return await waiting

    def _told(self, ended: Ended, decide: Decide) -> bytes:
        """All that Postfix hears. Raises MustWait."""
        try:
            return self._end(ended, decide)
        except MustWait:
            raise
        except Unavailable as missing:
            log.warning("%s: tempfail why=%r", ended.queue_id, str(missing))
            return protocol.reply(str(TRY_AGAIN))
        except Exception:  # the edge of the process: whatever happened, the client keeps its message
            log.exception("%s: tempfail", ended.queue_id)
            return protocol.reply(str(NOT_NOW))

    def _end(self, ended: Ended, decide: Decide) -> bytes:
        started = time.perf_counter_ns()
        arrival, plan = decide(ended)
        edits = apply(plan.edits, self._desk.remember) if plan.verdict is Verdict.ACCEPT else b""
        self._desk.record(arrival, plan, ended.queue_id, (time.perf_counter_ns() - started) // 1000)
        _log(ended.queue_id, arrival, plan)
        return edits + _verdict(plan)


def _verdict(plan: Plan) -> bytes:
    if plan.verdict is Verdict.DISCARD:
        return protocol.DISCARD
    return protocol.reply(str(plan.reply)) if plan.reply else protocol.ACCEPT


def _log(queue_id: str, arrival: Arrival, plan: Plan) -> None:
    envelope, standing = arrival.message.envelope, arrival.standing
    log.info(
        "%s: from=<%s> to=%s plan=%s edits=%d %s why=%r",
        queue_id,
        envelope.reverse_path,
        ",".join(f"<{recipient}>" for recipient in envelope.recipients),
        plan.verdict,
        len(plan.edits),
        f"dmarc={standing.dmarc}" if standing else "dmarc=-",
        plan.why,
    )
