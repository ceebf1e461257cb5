"""The web pages by HTTPS: a server with a certificate that its client trusts, or does not."""

import os
import ssl
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from smtpy.config import judge
from smtpy.doctor import web
from smtpy.doctor.finding import WARNING, Finding
from tests.doctor.test_smtpd import DAY, NOW, certificate
from tests.test_config import NEEDED
from tests.waiting import free_ports


class Pages(BaseHTTPRequestHandler):
    """What stands before gunicorn."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/livez" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def origin(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An origin whose certificate is trusted, for so many days."""
    chain = tmp_path / "chain.pem"
    times = {"begins": NOW - 80 * DAY, "ends": NOW + timedelta(days=request.param)}
    chain.write_bytes(b"".join(certificate("localhost", **times)))
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"https://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


def look(origin: str) -> list[Finding]:
    """What is found there."""
    return list(web.examine(judge({**NEEDED, "web_origin": origin})))


def said(found: list[Finding]) -> list[tuple[str, int]]:
    """Subject and code of each."""
    return [(each.subject, each.code) for each in found]


@pytest.mark.parametrize("origin", [60], indirect=True)
def test_pages_that_live(origin: str) -> None:
    assert said(look(origin)) == [("tls", os.EX_OK), ("web", os.EX_OK)]


@pytest.mark.parametrize("origin", [5], indirect=True)
def test_a_certificate_that_ends_soon(origin: str) -> None:
    assert said(look(origin)) == [("tls", WARNING), ("web", os.EX_OK)]


@pytest.mark.parametrize("origin", [60], indirect=True)
def test_a_proxy_without_pages_behind(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pages, "status", 502)
    found = look(origin)
    assert said(found) == [("tls", os.EX_OK), ("web", WARNING)]
    assert "answers 502" in found[1].words


@pytest.mark.parametrize("origin", [60], indirect=True)
def test_a_certificate_that_browsers_do_not_trust(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    (found,) = look(origin)
    assert (found.subject, found.code, "self-signed" in found.words) == ("web", WARNING, True)


@pytest.mark.parametrize("origin", [-1], indirect=True)
def test_a_certificate_that_has_ended(origin: str) -> None:
    (found,) = look(origin)
    assert (found.subject, found.code, "expired" in found.words) == ("web", WARNING, True)


def test_pages_that_this_host_does_not_reach() -> None:
    (found,) = look(f"https://localhost:{free_ports(1)[0]}")
    assert (found.code, "could not be asked from this host (Connection refused)" in found.words) == (os.EX_OK, True)


def test_pages_without_https() -> None:
    (found,) = look("http://localhost:8000")
    assert (found.code, "not asked" in found.words) == (os.EX_OK, True)
