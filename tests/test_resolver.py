"""The resolver against a real server on loopback: answers of every kind, what is remembered, DNS that fails."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from smtpy import resolver as module
from smtpy.dns import NO_SUCH_NAME, Answer, DnsTrouble, Kind, texts
from smtpy.resolver import Resolver
from tests.dns import Zone
from tests.nameserver import Nameserver, silence

LONG = "x" * 700
ZONE: dict[str, Any] = {
    "a.example": {
        "A": ["192.0.2.1", "192.0.2.2"],
        "AAAA": ["2001:db8::1"],
        "MX": [(10, "mx.a.example"), (20, "mx2.a.example")],
        "NS": ["ns.a.example"],
        "TXT": ["v=spf1 -all", b'\xff\x00"\\', ("v=DKIM1; ", "p=abc"), ""],
    },
    "alias.example": {"CNAME": ["second.example"]},
    "second.example": {"CNAME": ["a.example"]},
    "dangling.example": {"CNAME": ["nowhere.example"]},
    "round.example": {"CNAME": ["round.example"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["Mail.A.example"]},
    "null.example": {"MX": [(0, ".")]},
    "long.example": {"TXT": [LONG, LONG + "y"]},
    "below.empty.example": {"A": ["192.0.2.3"]},
    "broken.example": "SERVFAIL",
    "refused.example": "REFUSED",
    "silent.example": "TIMEOUT",
    "xn--bcher-kva.example": {"A": ["192.0.2.4"]},
    "a b\\c._x.example": {"A": ["192.0.2.5"]},
}


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def server() -> Iterator[Nameserver]:
    with Nameserver(Zone(ZONE)) as running:
        yield running


def asking(*servers: Nameserver, timeout: float = 0.3, clock: Any = time.monotonic) -> Resolver:
    return Resolver([(each.host, each.port) for each in servers], timeout, clock)


def shuffled(answer: Answer) -> tuple[bool, list[Any]]:
    """Without the order, which servers change at will."""
    return answer.exists, sorted(answer.records, key=str)


ANSWERS: list[tuple[str, Kind, Answer]] = [
    ("a.example", "A", Answer(("192.0.2.1", "192.0.2.2"))),
    ("a.example", "AAAA", Answer(("2001:db8::1",))),
    ("a.example", "MX", Answer(((10, "mx.a.example"), (20, "mx2.a.example")))),
    ("a.example", "NS", Answer(("ns.a.example",))),
    ("a.example", "TXT", Answer((b"v=spf1 -all", b'\xff\x00"\\', b"v=DKIM1; p=abc", b""))),
    ("A.Example.", "AAAA", Answer(("2001:db8::1",))),
    ("alias.example", "AAAA", Answer(("2001:db8::1",))),
    ("alias.example", "CNAME", Answer(("second.example",))),
    ("a.example", "CNAME", Answer()),
    ("a.example", "PTR", Answer()),
    ("dangling.example", "A", NO_SUCH_NAME),
    ("1.2.0.192.in-addr.arpa", "PTR", Answer(("Mail.A.example",))),
    ("null.example", "MX", Answer(((0, "."),))),
    ("long.example", "TXT", Answer((LONG.encode(), LONG.encode() + b"y"))),
    ("empty.example", "A", Answer()),
    ("nobody.example", "A", NO_SUCH_NAME),
    ("bücher.example", "A", Answer(("192.0.2.4",))),
    ("a b\\c._x.example", "A", Answer(("192.0.2.5",))),
    ("x" * 64 + ".example", "A", NO_SUCH_NAME),
    ("x." * 128 + "example", "A", NO_SUCH_NAME),
    ("a..example", "A", NO_SUCH_NAME),
    (".a.example", "A", NO_SUCH_NAME),
    ("\ud800.example", "A", NO_SUCH_NAME),
    ("xn--\u0301.example", "A", NO_SUCH_NAME),
]


@pytest.mark.parametrize(("name", "kind", "answer"), ANSWERS, ids=[f"{row[0][:30]!a} {row[1]}" for row in ANSWERS])
def test_answers(server: Nameserver, name: str, kind: Kind, answer: Answer) -> None:
    dns = asking(server).within(5)
    assert shuffled(dns.ask(name, kind)) == shuffled(answer)
    assert dns.ask(name, kind) is dns.ask(name, kind) or not answer.exists  # from memory


TROUBLES = {
    "broken.example": "broken.example A: 127.0.0.1 says SERVFAIL",
    "refused.example": "refused.example A: 127.0.0.1 says REFUSED",
    "silent.example": "silent.example A: 127.0.0.1 does not answer (Timeout)",
    "round.example": "round.example A: the answer cannot be followed (ChainTooLong)",
}


@pytest.mark.parametrize(("name", "words"), TROUBLES.items(), ids=list(TROUBLES))
def test_trouble_is_no_answer_and_not_asked_again_at_once(server: Nameserver, name: str, words: str) -> None:
    dns = asking(server, timeout=0.1).within(5)
    for _ in range(2):
        with pytest.raises(DnsTrouble) as caught:
            dns.ask(name, "A")
        assert str(caught.value) == words
    asked = [each for each in server.asked if each[0] == name]
    assert len(asked) <= module.ROUNDS


def test_a_long_answer_comes_by_tcp(server: Nameserver) -> None:
    server.asked.clear()
    assert sorted(texts(asking(server).within(5), "long.example")) == [LONG.encode(), LONG.encode() + b"y"]
    assert [way for _, _, way in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize(
    ("ttl", "kept"), [(0, module.SHORTEST_SECONDS), (60, 60), (86400, module.LONGEST_SECONDS)], ids=str
)
def test_an_answer_is_remembered_by_its_ttl_within_bounds(ttl: int, kept: float) -> None:
    clock = Clock()
    with Nameserver(Zone(ZONE), ttl=ttl) as server:
        asker = asking(server, clock=clock)
        asker.within(5).ask("alias.example", "A")
        clock.now += kept - 1
        asker.within(5).ask("ALIAS.example.", "A")
        assert len(server.asked) == 1
        clock.now += 1
        asker.within(5).ask("alias.example", "A")
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("ttl", "kept"),
    [(60, 60), (86400, module.LONGEST_NEGATIVE_SECONDS), (None, module.SHORTEST_SECONDS)],
    ids=["SOA", "long SOA", "no SOA"],
)
@pytest.mark.parametrize(("name", "kind"), [("nobody.example", "A"), ("a.example", "PTR")], ids=["name", "kind"])
def test_that_there_is_none_is_remembered(name: str, kind: Kind, ttl: int | None, kept: float) -> None:
    clock = Clock()
    with Nameserver(Zone(ZONE), negative_ttl=ttl) as server:
        asker = asking(server, clock=clock)
        for moved, asked in ((0.0, 1), (kept - 1, 1), (1.0, 2)):
            clock.now += moved
            asker.within(5).ask(name, kind)
            assert len(server.asked) == asked


def test_trouble_is_forgotten_soon() -> None:
    clock, zone = Clock(), Zone({"a.example": "SERVFAIL"})
    with Nameserver(zone) as server:
        asker = asking(server, clock=clock)
        with pytest.raises(DnsTrouble):
            asker.within(5).ask("a.example", "A")
        zone.names["a.example"] = {"A": ["192.0.2.1"]}
        clock.now += module.TROUBLE_SECONDS
        assert asker.within(5).ask("a.example", "A").records == ("192.0.2.1",)


def test_one_deadline_for_all_questions(server: Nameserver) -> None:
    with silence() as deaf:
        dns = Resolver([deaf], timeout=0.2).within(0.5)
        began = time.monotonic()
        for number in range(20):
            with pytest.raises(DnsTrouble):
                dns.ask(f"{number}.example", "A")
        assert time.monotonic() - began < 0.8
        with pytest.raises(DnsTrouble, match="no time left"):
            dns.ask("last.example", "A")
        # Having no time left says nothing about the name.
        fresh = asking(server)
        with pytest.raises(DnsTrouble, match="no time left"):
            fresh.within(0).ask("a.example", "A")
        assert fresh.within(5).ask("a.example", "A").records


def test_memory_answers_when_no_time_is_left(server: Nameserver) -> None:
    asker = asking(server)
    asker.within(5).ask("a.example", "A")
    assert asker.within(0).ask("a.example", "A").records


def test_the_next_server_is_asked_and_stays_first(server: Nameserver) -> None:
    with silence() as deaf:
        asker = Resolver([deaf, (server.host, server.port)], timeout=0.3)
        assert asker.within(5).ask("a.example", "A").records
        began = time.monotonic()
        assert asker.within(5).ask("a.example", "AAAA").records
        assert time.monotonic() - began < 0.2


def test_a_server_that_refuses_is_followed_by_one_that_knows(server: Nameserver) -> None:
    with Nameserver(Zone({"a.example": "SERVFAIL"})) as lame:
        assert asking(lame, server).within(5).ask("a.example", "A").records


def test_no_server_at_all_is_trouble() -> None:
    with pytest.raises(DnsTrouble, match="does not answer"):
        Resolver([("127.0.0.1", 1)], timeout=0.1).within(1).ask("a.example", "A")


def test_the_system_names_servers(monkeypatch: pytest.MonkeyPatch, server: Nameserver) -> None:
    monkeypatch.setattr(module, "system_servers", lambda: ((server.host, server.port),))
    assert Resolver().within(5).ask("a.example", "A").records


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, server: Nameserver) -> None:
    monkeypatch.setattr(module, "MAX_HELD_OCTETS", 5000)
    server.asked.clear()
    dns = asking(server).within(30)
    for _ in range(2):
        for number in range(20):
            dns.ask(f"{number}.nobody.example", "A")
    assert len(server.asked) == 40
    dns.ask("19.nobody.example", "A")
    assert len(server.asked) == 40


def test_many_threads(server: Nameserver) -> None:
    asker, wrong = asking(server, timeout=5), []

    def ask() -> None:
        dns = asker.within(20)
        for name, kind, answer in ANSWERS * 3:
            if shuffled(dns.ask(name, kind)) != shuffled(answer):
                wrong.append(name)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_memory_is_quick(server: Nameserver) -> None:
    dns = asking(server).within(5)
    dns.ask("a.example", "TXT")
    began = time.thread_time()
    for _ in range(10_000):
        dns.ask("a.example", "TXT")
    assert time.thread_time() - began < 0.2  # 20 µs each; it takes about one
