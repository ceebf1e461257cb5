"""What a collector of OpenTelemetry is told while mail and pages go by: what took how long, and nobody's name."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from urllib.request import urlopen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.sink import Sink, Taken
from tests.stand import SERVICES, SMTPY, StandFactory
from tests.waiting import until

LETTER = b"From: alice@sender.example\r\nSubject: Sick leave\r\n\r\nHello\r\n"
STRANGERS = (b".example", b"alice", b"sales", b"nobody", b"inbox", b"Sick leave")
Told = dict[str, dict[bytes, Span]]  # by service and id


def told(requests: list[Taken]) -> Told:
    """All spans so far."""
    found: Told = defaultdict(dict)
    for request in requests:
        assert request.path == "/v1/traces"
        for each in ExportTraceServiceRequest.FromString(request.body).resource_spans:
            resource = {attribute.key: attribute.value.string_value for attribute in each.resource.attributes}
            assert resource["service.version"]
            spans = {span.span_id: span for scope in each.scope_spans for span in scope.spans}
            found[resource["service.name"]].update(spans)
    return found


def attributes(span: Span) -> dict[str, str | bool | int]:
    """What is said of it."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


def test_spans_of_a_message_and_of_a_page(own_stand: StandFactory) -> None:
    with Sink() as sink:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink.port}", "OTEL_BSP_SCHEDULE_DELAY": "100"}
        stand = own_stand((*SERVICES, "web"), settings=environ)
        stand.declare("sales@our.example", "ann@inbox.example")
        assert stand.cli("key", "use", "our.example", "--now").returncode == os.EX_OK
        assert stand.send("alice@sender.example", ["sales@our.example"], LETTER).accepted
        assert not stand.send("alice@sender.example", ["nobody@our.example"], LETTER).accepted
        urlopen(f"{stand.origin}/auth/sign-in?next=/ann@inbox.example", timeout=30).close()  # noqa: S310 - ours
        until(
            lambda: any(span.name == "end of message" for span in told(sink.requests)["smtpy-milter"].values()), "mail"
        )
        until(lambda: told(sink.requests).keys() >= {"smtpy-lookup", "smtpy-policy", "smtpy-web"}, "the others")
        for name in ("web", *SERVICES):  # what is left is sent at the end
            stand.stop(name)
        maillog = stand.maillog()
        spans = told(sink.requests)
    ours, children = message(spans["smtpy-milter"])
    assert attributes(ours)["smtpy.queue_id"] in maillog
    assert (attributes(ours)["smtpy.stage"], attributes(ours)["smtpy.verdict"]) == ("front", "accept")
    assert children == {"authn": "end of message", "plan": "end of message", "sign": "plan"}
    assert {attributes(each).get("smtpy.status") for each in spans["smtpy-policy"].values()} >= {"", "5.1.1"}
    assert {each.name for each in spans["smtpy-lookup"].values()} == {"lookup"}
    (page,) = spans["smtpy-web"].values()
    assert (page.name, attributes(page)["smtpy.status"]) == ("web signing.sign_in", 200)
    bodies = b"".join(request.body for request in sink.requests)
    assert [word for word in STRANGERS if word in bodies] == []


def message(spans: dict[bytes, Span]) -> tuple[Span, dict[str, str]]:
    """The span of the message that was decided, and by the name of each below it the name of what it stands in."""
    (decided,) = (each for each in spans.values() if "smtpy.verdict" in attributes(each))
    below = [each for each in spans.values() if each.trace_id == decided.trace_id and each.parent_span_id]
    return decided, {each.name: spans[each.parent_span_id].name for each in below}


PROGRAM = """
import sys
from smtpy import spans
spans.begin("milter")
try:
    with spans.span("end of message"):
        raise ValueError("Sick leave of ann@a.example")
except ValueError:
    pass
spans.end()
"""


def test_what_goes_wrong_is_told_by_its_kind() -> None:
    with Sink() as sink:
        environ = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink.port}"}
        subprocess.run([sys.executable, "-c", PROGRAM], env=environ, check=True)
        (span,) = told(sink.requests)["smtpy-milter"].values()
    assert attributes(span) == {"error.type": "ValueError"}
    assert not span.events
    assert not span.status.message


def test_without_a_collector_nothing_is_imported() -> None:
    program = PROGRAM + "\nassert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    environ = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True)


def test_a_service_that_cannot_tell_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry.py").write_text("raise ImportError")
    config = tmp_path / "smtpy.toml"
    options = ("--config", str(config), "--state-dir", str(tmp_path), "--run-dir", str(tmp_path))
    names = ("--hostname", "mx.our.example", "--postmaster", "postmaster@inbox.example")
    subprocess.run([SMTPY, "init", *options, *names], check=True, capture_output=True)
    wanted = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces", "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        [SMTPY, "lookup"], env={**os.environ, **wanted, "SMTPY_CONFIG": str(config)}, capture_output=True, text=True
    )
    assert ended.returncode == os.EX_CONFIG
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT takes packages that are not installed" in ended.stderr
