"""The one logger set-up: stderr, one line `time level process: text`, as a supervisor or journald takes it."""

import logging
import sys
import time
from functools import lru_cache

FORM = "%(asctime)s %(levelname)s {process}: %(message)s"


class Line(logging.Formatter):
    """UTC with milliseconds; one record is one line, but for tracebacks."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - as below
        return f"{_second(int(record.created))}.{int(record.msecs):03}Z"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        record.message = visible(record.message)
        return super().formatMessage(record)


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def visible(text: str) -> str:
    """One line that moves no cursor: strangers' words may hold line ends, escape sequences and bidi controls."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def set_up(process: str, level: str) -> None:
    """Log to stderr as `process` from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line(FORM.format(process=process)))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What no line says need not be found out for each (Logging HOWTO, "Optimization"): a third of what a line takes.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
