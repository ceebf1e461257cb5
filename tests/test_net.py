"""Endpoints: what is read, what is refused, that writing undoes reading; and whose UNIX socket may be replaced."""

import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.net import MAX_PATH, BadEndpoint, Endpoint, unix_socket

GOOD = {
    "unix:/run/smtpy/lookup.sock": Endpoint(path="/run/smtpy/lookup.sock"),
    "unix:/" + "a" * (MAX_PATH - 1): Endpoint(path="/" + "a" * (MAX_PATH - 1)),
    "unix:/a:b c": Endpoint(path="/a:b c"),
    "inet:127.0.0.1:8025": Endpoint(host="127.0.0.1", port=8025),
    "inet:mx.our.example:65535": Endpoint(host="mx.our.example", port=65535),
    "inet:[2001:db8::1]:25": Endpoint(host="2001:db8::1", port=25),
}
BAD = {
    "": "unix:/path or inet:host:port",
    "/run/lookup.sock": "unix:/path or inet:host:port",
    "tcp:127.0.0.1:25": "unix:/path or inet:host:port",
    "UNIX:/a": "unix:/path or inet:host:port",
    "unix:": "absolute",
    "unix:lookup.sock": "absolute",
    "unix:/" + "a" * MAX_PATH: "at most 107 octets",
    "unix:/" + "é" * 54: "at most 107 octets",
    "unix:/a\0b": "control characters",
    "unix:/a\nb": "control characters",
    "inet:8025": "host:port",
    "inet::8025": "host:port",
    "inet:host:": "host:port",
    "inet:host:port": "host:port",
    "inet:2001:db8::1:25": "in brackets",
    "inet:host:25\n": "host:port",
    "inet:host:٢٥": "host:port",  # digits to str.isdigit, not to Postfix
    "inet:host:0": "1 to 65535",
    "inet:host:65536": "1 to 65535",
}


@pytest.mark.parametrize(("text", "endpoint"), GOOD.items(), ids=list(GOOD))
def test_reads_and_writes_postfix_spelling(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize(("text", "rule"), BAD.items(), ids=repr)
def test_refuses_and_names_the_rule(text: str, rule: str) -> None:
    with pytest.raises(BadEndpoint, match=rule):
        Endpoint.parse(text)


@given(st.text(max_size=40) | st.from_regex(r"(unix:/|inet:)[a-z0-9:\[\]./]{1,30}", fullmatch=True))
def test_what_is_read_is_written_back_and_read_again(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text)
    except BadEndpoint:
        return
    assert Endpoint.parse(str(endpoint)) == endpoint


def test_anyone_may_connect(tmp_path: Path) -> None:
    with unix_socket(tmp_path / "socket"):
        assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o666


def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    unix_socket(tmp_path / "socket").close()
    with unix_socket(tmp_path / "socket") as fresh:
        fresh.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "socket"))


def test_a_socket_in_use_is_not(tmp_path: Path) -> None:
    with unix_socket(tmp_path / "socket") as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            unix_socket(tmp_path / "socket")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "socket"))


def test_what_is_no_socket_is_not(tmp_path: Path) -> None:
    (tmp_path / "socket").write_text("precious")
    with pytest.raises(OSError, match="in use"):
        unix_socket(tmp_path / "socket")
    assert (tmp_path / "socket").read_text() == "precious"
