"""The one logger set-up: stderr, one line `time level process: text`, as a supervisor or journald takes it."""

import logging
import sys
import time


class Line(logging.Formatter):
    """UTC with milliseconds; one record is one line, but for tracebacks."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def converter(self, seconds: float | None) -> time.struct_time:
        return time.gmtime(seconds)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        # A peer's words may hold line ends; they must not be able to write a line of their own.
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


def set_up(process: str, level: str) -> None:
    """Log to stderr as `process` from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line(f"%(asctime)s %(levelname)s {process}: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
