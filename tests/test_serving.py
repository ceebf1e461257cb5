"""Conversations over real sockets: order, limits, who is cut off and who is not, and a clean end."""

import asyncio
import logging
import socket
import threading
from pathlib import Path

import pytest

from smtpy.net import Endpoint
from smtpy.serving import Answer, Limits, Service, Sparing
from smtpy.wire import Violation
from tests.served import handles, received, served, whole
from tests.waiting import free_ports, until


class Lines:
    """A reader of lines; an empty one is a violation."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> None:
        self.held += data

    def pending(self) -> bool:
        return bool(self.held)

    def next(self) -> bytes | None:
        line, end, rest = self.held.partition(b"\n")
        if not end:
            return None
        if not line:
            raise Violation("line is empty")
        self.held = rest
        return line


class Echo:
    """Answers a line by itself; one that begins with `later`, when it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.waiting = 0
        self.asked: list[bytes] = []

    def answer(self, line: bytes) -> Answer:
        self.asked.append(line)
        return self.later(line) if line.startswith(b"later") else line + b"\n"

    async def later(self, line: bytes) -> bytes:
        self.waiting += 1
        try:
            while not self.let_go.is_set():
                await asyncio.sleep(0.001)
            if line == b"later fails":
                raise RuntimeError("no thread to be had")
        finally:
            self.waiting -= 1
        return line + b"\n"


@pytest.fixture
def echo():
    return Echo()


def serving(echo: Echo, folder: Path, **limits: float):
    return served(Service(Lines, echo.answer, Limits(**limits)), folder)


def test_answers_come_in_order_however_the_requests_are_cut(echo, tmp_path):
    echo.let_go.set()
    with serving(echo, tmp_path) as service:
        asked = b"a\nlater b\nc\nlater d\n"
        for cut in range(len(asked) + 1):
            assert service.says(asked[:cut], asked[cut:]) == asked
        assert service.says(*(bytes([octet]) for octet in asked)) == asked


def test_who_waits_holds_up_nobody_else(echo, tmp_path):
    with serving(echo, tmp_path) as service, service.client() as slow:
        slow.sendall(b"later\nnext\n")
        until(lambda: echo.waiting, "waiting")
        assert service.says(b"quick\n") == b"quick\n"
        echo.let_go.set()
        assert whole(slow, b"next\n") == b"later\nnext\n"


def test_who_asks_much_at_once_lets_others_have_their_turn(echo, tmp_path):
    with serving(echo, tmp_path) as service, service.client() as greedy, service.client() as modest:
        busy = threading.Event()
        service.loop.call_soon_threadsafe(busy.wait)  # until both have asked
        greedy.sendall(b"g\n" * 10_000)
        modest.sendall(b"m\n")
        busy.set()
        assert whole(modest, b"\n") == b"m\n"
        greedy.shutdown(socket.SHUT_WR)
        assert received(greedy) == b"g\n" * 10_000
        assert echo.asked.index(b"m") < 1000


def test_a_violation_ends_its_own_conversation_after_the_answers_before_it(echo, tmp_path):
    with serving(echo, tmp_path) as service, service.client() as other:
        assert service.says(b"a\n\nb\n", half_close=False) == b"a\n"
        other.sendall(b"c\n")
        assert whole(other, b"\n") == b"c\n"


def test_a_client_that_goes_leaves_nothing_behind(echo, tmp_path):
    with serving(echo, tmp_path) as service:
        tasks = service.tasks()
        with service.client() as gone:
            gone.sendall(b"later\n")
            until(lambda: echo.waiting, "waiting")
        echo.let_go.set()
        until(lambda: not service.service.conversations, "no conversation")
        assert service.tasks() == tasks


def test_an_answer_that_fails_ends_its_own_conversation(echo, tmp_path):
    echo.let_go.set()
    with serving(echo, tmp_path) as service, service.client() as other:
        assert service.says(b"a\nlater fails\nb\n", half_close=False) == b"a\n"
        other.sendall(b"later c\n")
        assert whole(other, b"\n") == b"later c\n"


def test_a_client_too_many_is_turned_away(echo, tmp_path):
    with serving(echo, tmp_path, connections=2) as service, service.client() as one, service.client():
        until(lambda: len(service.service.conversations) == 2, "two clients")
        assert service.says(b"a\n") == b""
        one.sendall(b"b\n")
        assert whole(one, b"\n") == b"b\n"
        one.close()
        until(lambda: len(service.service.conversations) == 1, "one client")
        assert service.says(b"c\n") == b"c\n"


def test_an_idle_client_is_cut_off(echo, tmp_path):
    with serving(echo, tmp_path, idle_seconds=0.1) as service, service.client() as idle:
        assert received(idle) == b""


def test_a_dripping_client_is_cut_off(echo, tmp_path):
    with serving(echo, tmp_path, request_seconds=0.1, idle_seconds=60) as service, service.client() as idle:
        with service.client() as slow, pytest.raises((BrokenPipeError, ConnectionResetError)):
            drip(slow)
        idle.sendall(b"still here\n")
        assert whole(idle, b"\n") == b"still here\n"


def drip(connection: socket.socket) -> None:
    """An octet each hundredth of a second, for five seconds."""
    for _ in range(500):
        connection.sendall(b"x")
        received_nothing_for(connection, 0.01)


def flood(connection: socket.socket) -> None:
    """Requests without taking an answer, more than any buffer between holds."""
    for _ in range(100_000):
        connection.sendall(b"x" * 1000 + b"\n")


def test_a_client_that_waits_for_its_answer_is_not_cut_off(echo, tmp_path):
    with serving(echo, tmp_path, request_seconds=0.05, idle_seconds=0.05) as service, service.client() as waiting:
        waiting.sendall(b"later\n")
        until(lambda: echo.waiting, "waiting")
        assert received_nothing_for(waiting, 0.3)
        echo.let_go.set()
        assert not received_nothing_for(waiting, 5)
        assert whole(waiting, b"\n") == b"later\n"


def received_nothing_for(connection: socket.socket, seconds: float) -> bool:
    """Neither an octet nor the end; what there is stays to be read."""
    connection.settimeout(seconds)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        connection.settimeout(5)


def test_a_deaf_client_is_cut_off(echo, tmp_path):
    with serving(echo, tmp_path, request_seconds=0.2) as service, service.client() as deaf:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            flood(deaf)
        assert not service.service.conversations


def test_the_answers_in_hand_are_finished_before_the_end(echo, tmp_path):
    with socket.socket(socket.AF_UNIX) as connection:
        with serving(echo, tmp_path) as service:
            connection.connect(str(service.path))
            connection.sendall(b"later\nnot looked at\n")
            until(lambda: echo.waiting, "waiting")
            threading.Timer(0.2, echo.let_go.set).start()
        assert received(connection) == b"later\n"


def test_the_end_does_not_wait_for_ever(echo, tmp_path):
    with socket.socket(socket.AF_UNIX) as connection:
        with serving(echo, tmp_path, grace_seconds=0.1) as service:
            connection.connect(str(service.path))
            connection.sendall(b"later\n")
            until(lambda: echo.waiting, "waiting")
        assert received(connection) == b""


def test_serves_on_a_port_too_and_on_several_endpoints():
    port, other = free_ports(2)
    before = handles()

    async def ask() -> list[bytes]:
        endpoints = [Endpoint(host="127.0.0.1", port=port), Endpoint(host="localhost", port=other)]
        async with Service(Lines, Echo().answer, Limits()).listening(endpoints):
            answers = []
            for each in (port, other):
                reader, writer = await asyncio.open_connection("127.0.0.1", each)
                writer.write(b"a\n")
                answers.append(await reader.readline())
                writer.close()
                await writer.wait_closed()
            return answers

    assert asyncio.run(ask()) == [b"a\n", b"a\n"]
    assert handles() == before


def test_an_endpoint_that_cannot_be_had_takes_the_others_back(tmp_path):
    async def listen() -> None:
        endpoints = [Endpoint(path=str(tmp_path / "a")), Endpoint(path=str(tmp_path / "none" / "b"))]
        async with Service(Lines, Echo().answer, Limits()).listening(endpoints):
            pytest.fail("listens in a folder that is not there")

    before = handles()
    with pytest.raises(FileNotFoundError):
        asyncio.run(listen())
    assert handles() == before
    assert list(tmp_path.iterdir()) == []


def test_sparing_says_how_many_it_kept_back(caplog, monkeypatch):

    clock = [100.0]
    monkeypatch.setattr("smtpy.serving.time.monotonic", lambda: clock[0])
    sparing = Sparing(logging.getLogger("sparing"), every=1.0)
    for moment in (100.0, 100.5, 100.9, 101.0, 101.1, 103.0):
        clock[0] = moment
        sparing.warning("at %s", moment)
    assert caplog.messages == [
        "at 100.0 (0 more since the last)",
        "at 101.0 (2 more since the last)",
        "at 103.0 (1 more since the last)",
    ]
