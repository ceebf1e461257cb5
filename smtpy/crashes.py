"""Defects told to a Sentry (`sentry_dsn`), if an operator wants that: what failed and where, and nothing that was said.

A process logs what nobody foresaw as an error, with its traceback; so what Sentry hears is the log, from errors on, and
what a process dies of. What may leave the host is chosen here, rather than what may not: kinds of exceptions, the
places in the source that they came through, templates of lines of ours, process, host, version, Postfix's queue id or
the number that a failed page showed. The words of an exception and the values in a line are strangers' mail as like as
not; they stay in the log of that host, where time and number find them. Locals, requests, headers, cookies and forms
are not looked at in the first place.

sentry-sdk is imported if the setting is set, and not else.
"""

import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from smtpy.optional import load

FLUSH_SECONDS = 2.0  # for what is under way when the process ends
FRAME = ("filename", "module", "function", "lineno", "context_line", "pre_context", "post_context", "in_app")
EVENT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk")


def begin(dsn: str, process: str, hostname: str) -> None:
    """Tell of errors that this process and its children log from now on. Raises smtpy.optional.NotInstalled."""
    if not dsn:
        return
    sentry, handlers, hooks = (
        load(f"sentry_sdk{name}", wanted_by="sentry_dsn", extra="sentry")
        for name in ("", ".integrations.logging", ".integrations.excepthook")
    )
    sentry.init(
        dsn,
        before_send=chosen,
        release=f"smtpy@{version('smtpy')}",
        server_name=hostname,
        integrations=[hooks.ExcepthookIntegration()],
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        send_default_pii=False,
        send_client_reports=False,
        auto_session_tracking=False,
        max_breadcrumbs=0,
        enable_backpressure_handling=False,
    )
    sentry.get_global_scope().set_tag("process", process)
    handler = handlers.EventHandler(logging.ERROR)
    handler.flush = lambda: sentry.flush(FLUSH_SECONDS)  # logging.shutdown() calls it, at the end of every process
    logging.getLogger().addHandler(handler)


def chosen(event: Mapping[str, Any], hint: Mapping[str, Any]) -> dict[str, Any]:
    """What of an event may leave the host."""
    kept: dict[str, Any] = {name: event[name] for name in EVENT if name in event}
    kept["tags"] = {name: event["tags"][name] for name in ("process",) if name in event.get("tags", {})}
    record = hint.get("log_record")
    if isinstance(record, logging.LogRecord) and record.name.startswith("smtpy."):
        kept["logentry"] = {"message": record.msg}
        kept["tags"] |= dict(_named(record))
    if exceptions := event.get("exception"):
        kept["exception"] = {"values": [_exception(each) for each in exceptions["values"]]}
    return kept


def _exception(told: Mapping[str, Any]) -> dict[str, Any]:
    frames = (told.get("stacktrace") or {}).get("frames", ())
    return {
        "type": told.get("type"),
        "module": told.get("module"),
        "stacktrace": {"frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]},
    }


def _named(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    """What a line begins with, by which it is found in the log of its host."""
    for beginning, name in (("%s: ", "queue_id"), ("defect=%s: ", "defect")):
        if record.msg.startswith(beginning) and isinstance(record.args, tuple):
            yield name, str(record.args[0])
