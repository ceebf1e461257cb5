"""What a Sentry hears of a defect: where it is, and nothing of what was said."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sink import Sink
from tests.stand import POSTMASTER, SMTPY, WEB

# Addresses, a subject, a token, a cookie and what a form held: in words, in values, in locals.
STRANGERS = ("ann@a.example", "ann%40a.example", "Sick leave", "tok-4711", "sid=abc", "hunter2", "a.example", "arg-v")
PROGRAM = """
import logging, os, sys
from smtpy import crashes
from smtpy.cli.logs import set_up

set_up("milter", "info")
crashes.begin(sys.argv[1], "milter", "mx.our.example")
log = logging.getLogger("smtpy.milter")

def deep(message):
    subject, token, cookies, form = "Sick leave", "tok-4711", {"Cookie": "sid=abc"}, {"password": "hunter2"}
    try:
        {}[message]
    except KeyError as error:
        raise ValueError(f"{subject} {token} {form} to {message}") from error

def fail():
    log.info("from=<%s>", "ann@a.example")
    try:
        deep("ann@a.example")
    except ValueError:
        log.exception("%s: tempfail to=<%s>", "4bQy7x1JqVz2Rk", "ann@a.example")

if not (pid := os.fork()):  # as the milter's workers end
    fail()
    logging.shutdown()
    os._exit(0)
os.waitpid(pid, 0)
logging.getLogger("asyncio").error("Sick leave for ann@a.example")
log.error("back up folder=%s not done why=%r", "/a.example", "hunter2")
deep("ann%40a.example")
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as one:
        yield one


def events(sink: Sink) -> list[dict[str, Any]]:
    """What has come: of each envelope its event, since nothing else is to come."""
    told = []
    for request in sink.requests:
        assert request.path == "/api/7/envelope/"
        header, item, event = (json.loads(line) for line in gzip.decompress(request.body).splitlines())
        assert (item["type"], header["event_id"]) == ("event", event["event_id"])
        told.append(event)
    return told


def test_a_defect_is_told_without_a_word_of_anybody(sink: Sink) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"http://key@127.0.0.1:{sink.port}/7", "arg-v"], capture_output=True, text=True
    )
    assert ended.returncode == 1, ended.stderr
    forked, other, plain, died = events(sink)
    for request in sink.requests:
        said = gzip.decompress(request.body).decode()
        assert [each for each in STRANGERS if each in said.replace(PROGRAM, "")] == []
    assert forked["tags"] == {"process": "milter", "queue_id": "4bQy7x1JqVz2Rk"}
    assert forked["logentry"] == {"message": "%s: tempfail to=<%s>"}
    assert [each["type"] for each in forked["exception"]["values"]] == ["KeyError", "ValueError"]
    frames = forked["exception"]["values"][-1]["stacktrace"]["frames"]
    assert [frame["function"] for frame in frames] == ["fail", "deep"]
    assert not [frame for frame in frames if "vars" in frame]
    assert (forked["server_name"], forked["level"]) == ("mx.our.example", "error")
    assert (other["logger"], "logentry" in other) == ("asyncio", False)
    assert plain["logentry"] == {"message": "back up folder=%s not done why=%r"}
    assert died["exception"]["values"][-1]["type"] == "ValueError"
    assert {each["release"].partition("@")[0] for each in (forked, other, plain, died)} == {"smtpy"}


PAGES = """
import logging
from flask import request
from web.wsgi import app

def fail():
    token = request.args["token"]
    raise ValueError(f"{token} {request.headers}")

app.view_functions["signing.sign_in"] = fail
cookie = {"Cookie": "__Host-sid=sid=abc"}
url = "http://localhost:8000/auth/sign-in?token=tok-4711&to=ann@a.example"
answer = app.test_client().get(url, headers=cookie)
assert answer.status_code == 500
print(answer.text)
logging.shutdown()
"""


def test_a_page_that_goes_wrong_tells_nothing_of_the_request(sink: Sink, made: Path) -> None:
    environ = {"SMTPY_CONFIG": str(made), "SMTPY_SENTRY_DSN": f"http://key@127.0.0.1:{sink.port}/7"}
    command = [sys.executable, "-c", PAGES]
    shown = subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True, text=True).stdout
    (told,) = events(sink)
    assert told["tags"].keys() == {"process", "defect"}
    assert f"in the log as {told['tags']['defect']}" in shown
    assert told["logentry"] == {"message": "defect=%s: %s %s failed"}
    assert told["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "fail"
    assert told.keys() & {"request", "user", "extra", "contexts", "breadcrumbs", "modules"} == set()
    assert [each for each in STRANGERS if each in json.dumps(told)] == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `smtpy init` has made."""
    folder = tmp_path_factory.mktemp("made")
    config = folder / "smtpy.toml"
    folders = ("--state-dir", str(folder), "--run-dir", str(folder))
    names = ("--hostname", "mx.our.example", "--postmaster", POSTMASTER)
    subprocess.run([SMTPY, "init", "--config", str(config), *names, *folders], check=True, capture_output=True)
    return config


@pytest.mark.parametrize("command", [[SMTPY, "policy"], list(WEB)], ids=["policy", "web"])
def test_a_service_that_cannot_tell_says_what_is_missing(command: list[str], made: Path, tmp_path: Path) -> None:
    (tmp_path / "sentry_sdk.py").write_text("raise ImportError")
    wanted = {"SMTPY_SENTRY_DSN": "https://key@sentry.example/7", "PYTHONPATH": str(tmp_path)}
    environ = {**os.environ, **wanted, "SMTPY_CONFIG": str(made)}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30)
    assert ended.returncode != 0
    assert "sentry_dsn takes packages that are not installed: pip install 'smtpy[sentry]'" in ended.stderr
    assert "Traceback" not in ended.stderr
