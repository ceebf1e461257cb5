"""What takes how long, told to an OpenTelemetry collector, if the environment names one as its specification has it.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318    by HTTP; OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME ... hold, too

A span has a name of ours, Postfix's queue id and words out of a few: no address, and nothing that a stranger wrote.
What goes wrong in one is told by the kind of the exception. Without a collector `span` is a call and a comparison, and
none of OpenTelemetry is imported. A trace begins here: nobody from outside says how it is called.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import Any

from smtpy.optional import load

WANTED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_MILLISECONDS = 500

Value = str | bool | int
_nothing: AbstractContextManager[None] = nullcontext()
_tracer: Any = None
_current: Callable[[], Any]
_flush: Callable[[int], object] = bool


def begin(process: str) -> None:
    """Tell of what this process and its children do from now on. Raises smtpy.optional.NotInstalled."""
    global _tracer, _current, _flush  # one for the process, as logging is
    wanted = [name for name in WANTED_BY if os.environ.get(name)]
    if not wanted or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    api, sdk, resources, export, http = (
        load(f"opentelemetry.{name}", wanted_by=wanted[0], extra="otel")
        for name in (
            "trace",
            "sdk.trace",
            "sdk.resources",
            "sdk.trace.export",
            "exporter.otlp.proto.http.trace_exporter",
        )
    )
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": f"smtpy-{process}"}
    provider = sdk.TracerProvider(resource=resources.Resource.create({**named, "service.version": version("smtpy")}))
    provider.add_span_processor(export.BatchSpanProcessor(http.OTLPSpanExporter()))
    _tracer, _current, _flush = provider.get_tracer("smtpy"), api.get_current_span, provider.force_flush


def end() -> None:
    """Send what is left, where no exit handler will."""
    _flush(FLUSH_MILLISECONDS)


def is_on() -> bool:
    """Whether anybody is told."""
    return _tracer is not None


def span(name: str, **attributes: Value) -> AbstractContextManager[object]:
    """What is done as long as the context lasts; a child of the one around it in this thread or task."""
    return _nothing if _tracer is None else _span(name, attributes)


def note(**attributes: Value) -> None:
    """Something more about the span that is open now."""
    if _tracer is not None:
        _current().set_attributes({f"smtpy.{key}": value for key, value in attributes.items()})


def rename(name: str) -> None:
    """What is done turns out to be that."""
    if _tracer is not None:
        _current().update_name(name)


@contextmanager
def _span(name: str, attributes: dict[str, Value]) -> Iterator[None]:
    told = {f"smtpy.{key}": value for key, value in attributes.items()}
    silent = {"record_exception": False, "set_status_on_exception": False}  # else its words are told
    with _tracer.start_as_current_span(name, attributes=told, **silent) as one:
        try:
            yield
        except Exception as error:
            one.set_attribute("error.type", type(error).__name__)
            raise
