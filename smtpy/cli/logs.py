"""The one logger set-up: stderr, one record a line, as a supervisor or journald takes it.

`log_format` says whether that is text, `time level process: words`, or a JSON object; `log_addresses`, how much of an
address a line may tell. Both are done here, at the rim: code logs `from=<%s>`, whole, and knows of neither. In JSON
what a template calls `name=%s` is a member of that name, and so is the queue id that the line begins with.

Addresses are found in the finished words, tracebacks included, and rather too much is taken than too little: a word
with an @ in it, all within `=<...>`, a quoted local part with its blanks, what lookup was asked, and the values that
databases repeat in their errors. Names of domains that stand alone are no addresses, and stay.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Literal

FORM = "%(asctime)s %(levelname)s {process}: %(message)s"

Form = Literal["text", "json"]
Addresses = Literal["full", "domain", "none"]

# Each alternative takes one reading of the words, however long they are: they may be strangers'.
_TELLING = re.compile(
    r"""
      (?<=[=,]<) (?!>(?:[,\s]|$)) (?P<path>[^<>]+|.{1,320}?@[^<>@\s]*) (?=>(?:[,\s]|$))  # <> stays: it is nobody's
    | (?<=\basked=) b?(?P<mark>['"]) (?:(?!(?P=mark))[^\\]|\\.)* (?P=mark)
    | "(?:[^"\\]|\\.)*" @ [^\s<>]*
    | (?P<word>(?<![^\s<>]) (?=[^\s<>@%]*(?:%(?!40)[^\s<>@%]*)*(?:@|%40)) [^\s<>]+)
    | (?<=\[parameters:[ ]) .+  # SQLAlchemy
    | (?<=\bDETAIL:) .+  # PostgreSQL
    """,
    re.VERBOSE,
)
_OPENING = re.compile(r"(?:[a-z_]+=)?(?:b?['\"])?")
_CLOSING = ",;:.'\")}"
_VALUE = re.compile(r"(?:\b(?P<name>[a-z_]+)=)?(?P<form><?%[rsd]>?)")


class Line(logging.Formatter):
    """UTC with milliseconds; one record is one line, but for tracebacks."""

    def __init__(self, fmt: str, addresses: Addresses = "full") -> None:
        super().__init__(fmt)
        self.redacted = partial(redacted, addresses=addresses)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - as below
        return f"{_second(int(record.created))}.{int(record.msecs):03}Z"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        record.message = visible(self.redacted(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: "logging._SysExcInfoType") -> str:  # noqa: N802 - as above
        return self.redacted(super().formatException(ei))


class JsonLine(Line):
    """The same as one JSON object, tracebacks included; ASCII, so that it moves no cursor either."""

    def __init__(self, process: str, addresses: Addresses = "full") -> None:
        super().__init__("%(message)s", addresses)
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": self.redacted(record.getMessage()),
        }
        for name, value in _values(record):
            told[name] = value if _is_plain(value) else self.redacted(f"{name}={value}").removeprefix(f"{name}=")
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told).replace("\x7f", "\\u007f")  # the one control character that JSON lets stand


def _values(record: logging.LogRecord) -> Iterator[tuple[str, str | int]]:
    """What the template of a line of ours names, in its order; the brackets of paths stay, so <> is the null path."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    found = list(_VALUE.finditer(record.msg)) if record.name.startswith("smtpy.") else []
    if len(found) != len(arguments):
        return
    if record.msg.startswith("%s: ") and arguments[0]:
        yield "queue_id", str(arguments[0])
    for value, argument in zip(found, arguments, strict=True):
        if value["name"] and isinstance(argument, int):
            yield value["name"], argument
        elif value["name"]:
            said = repr(argument) if isinstance(argument, bytes) else str(argument)
            yield value["name"], f"<{said}>" if value["form"] == "<%s>" else said


def _is_plain(value: str | int) -> bool:
    return isinstance(value, int) or value.isalnum()


def redacted(text: str, addresses: Addresses) -> str:
    """The same words without the addresses in them: `*` in the place of each, or of its local part."""
    if addresses == "full":
        return text
    return _TELLING.sub(partial(_star, domain=addresses == "domain"), text)


def _star(found: re.Match[str], *, domain: bool) -> str:
    told = found[0]
    opening = _OPENING.match(told) if found["word"] or found["mark"] else None  # why='bob@...
    begin, end = opening.end() if opening else 0, len(told if found["path"] else told.rstrip(_CLOSING))
    at, _, host = told[begin:end].replace("%40", "@").rpartition("@")
    return f"{told[:begin]}*{'@' + host if domain and at else ''}{told[end:]}"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def visible(text: str) -> str:
    """One line that moves no cursor: strangers' words may hold line ends, escape sequences and bidi controls."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def set_up(process: str, level: str, form: Form = "text", addresses: Addresses = "full") -> None:
    """Log to stderr as `process` from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLine(process, addresses) if form == "json" else Line(FORM.format(process=process), addresses)
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What no line says need not be found out for each (Logging HOWTO, "Optimization"): a third of what a line takes.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
