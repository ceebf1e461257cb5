"""smtpd as a client meets it, on a real Postfix: one listener for each thing that can be so or otherwise."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from smtpy.config import judge
from smtpy.doctor import mta, smtpd
from smtpy.doctor.certificate import judged
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.listeners import Listener, listeners
from tests.stand import HOSTNAME, Stand
from tests.test_config import NEEDED
from tests.waiting import free_ports, until

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
SETTINGS = judge({**NEEDED, "hostname": HOSTNAME})


def certificate(*names: str, begins: datetime = NOW - DAY, ends: datetime = NOW + 60 * DAY) -> tuple[bytes, bytes]:
    """A certificate that signs itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(begins).not_valid_after(ends)
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM, *plain
    )


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, list[Finding]]]:
    """What is said of each listener: those of the table, the front, one that is not there, and all together."""
    ports = dict(zip(("bare", "good", "wrapped", "ended", "elsewhere", "proxied", "away"), free_ports(7), strict=True))
    stand = Stand(())
    try:
        stand.open()
        options = {
            "bare": [],
            "good": _tls(stand.folder / "good.pem", certificate(HOSTNAME)),
            "wrapped": [*_tls(stand.folder / "star.pem", certificate("*.our.example")), "smtpd_tls_wrappermode=yes"],
            "ended": _tls(stand.folder / "ended.pem", certificate(HOSTNAME, begins=NOW - 3 * DAY, ends=NOW - DAY)),
            "elsewhere": _tls(
                stand.folder / "else.pem", certificate("other.example", begins=NOW - 80 * DAY, ends=NOW + 9 * DAY)
            ),
            "proxied": ["smtpd_upstream_proxy_protocol=haproxy"],
        }
        _listen(stand, {name: (ports[name], more) for name, more in options.items()})
        subprocess.run(["postfix", "-c", stand.etc, "reload"], check=True, capture_output=True)
        until(lambda: _connects(ports["proxied"]), "the last of them listens")
        _listen(stand, {"away": (ports["away"], [])})  # no reload, so it is only written down
        found = list(smtpd.examine(SETTINGS, stand.etc))
        ports["front"] = stand.port
        of = {name: [each for each in found if re.search(rf":{port}\b", each.words)] for name, port in ports.items()}
        yield {**of, "all": found}
    finally:
        stand.close()


def _tls(path: Path, pair: tuple[bytes, bytes]) -> list[str]:
    path.write_bytes(pair[1] + pair[0])
    return ["smtpd_tls_security_level=may", f"smtpd_tls_chain_files={path}"]


def _listen(stand: Stand, wanted: dict[str, tuple[int, list[str]]]) -> None:
    """Add to master.cf; `bare` listens for the whole world."""
    with (stand.etc / "master.cf").open("a") as file:
        for name, (port, options) in wanted.items():
            host = "0.0.0.0" if name == "bare" else "127.0.0.1"  # noqa: S104 - that is what is tried
            words = " ".join(f"-o {each}" for each in options)
            file.write(f"{host}:{port} inet n - n - - smtpd {words}\n")
    os.utime(stand.etc / "master.cf", (0, 0))  # Postfix waits for what is younger than a second


def _connects(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


Told = dict[str, list[Finding]]


def said(found: list[Finding]) -> list[tuple[str, int]]:
    """Subject and code of each."""
    return [(each.subject, each.code) for each in found]


def test_one_that_greets_on_loopback_needs_no_certificate(told: Told) -> None:
    assert said(told["front"]) == [("smtpd", os.EX_OK)]


def test_the_world_is_offered_tls_and_finds_port_25(told: Told) -> None:
    assert said(told["bare"]) == [("smtpd", os.EX_OK), ("tls", WARNING)]
    assert "offers no TLS" in told["bare"][1].words
    assert [each.words for each in told["all"] if "no smtpd on port 25" in each.words]


@pytest.mark.parametrize("name", ["good", "wrapped"])
def test_a_certificate_that_is_good(told: Told, name: str) -> None:
    """By STARTTLS, and with TLS from the first octet, as on port 465; there for all names of the domain."""
    assert said(told[name]) == [("smtpd", os.EX_OK), ("tls", os.EX_OK)]
    assert f"is good until {NOW + 60 * DAY:%Y-%m-%d}, and signs itself" in told[name][1].words


def test_a_certificate_that_has_ended(told: Told) -> None:
    assert said(told["ended"]) == [("smtpd", os.EX_OK), ("tls", os.EX_CONFIG)]
    assert f"has ended on {NOW - DAY:%Y-%m-%d}" in told["ended"][1].words


def test_a_certificate_of_another_name_that_ends_soon(told: Told) -> None:
    assert said(told["elsewhere"]) == [("smtpd", os.EX_OK), ("tls", WARNING), ("tls", WARNING)]
    assert f"ends on {NOW + 9 * DAY:%Y-%m-%d}" in told["elsewhere"][1].words
    assert "is for other.example, not for mx.our.example" in told["elsewhere"][2].words


def test_one_behind_a_proxy_is_not_asked(told: Told) -> None:
    (found,) = told["proxied"]
    assert (found.code, "speaks to a proxy only" in found.words) == (os.EX_OK, True)


def test_one_that_does_not_answer(told: Told) -> None:
    (found,) = told["away"]
    assert (found.subject, found.code) == ("smtpd", os.EX_UNAVAILABLE)
    assert "nobody answers (Connection refused)" in found.words


def test_one_that_is_too_busy() -> None:
    def answer(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            client.sendall(b"421 4.7.0 too busy\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        thread = Thread(target=answer, args=(server,))
        thread.start()
        met = smtpd.meet(Listener("x", host, port, inward=True), HOSTNAME)
        thread.join(10)
    assert met.trouble == "it says 421"


TIMES = {
    "not yet": (NOW + DAY, NOW + 90 * DAY, os.EX_CONFIG),
    "ninety days, a quarter left": (NOW - 68 * DAY, NOW + 22 * DAY, os.EX_OK),
    "ninety days, few left": (NOW - 77 * DAY, NOW + 13 * DAY, WARNING),
    "six days, half of them left": (NOW - 3 * DAY, NOW + 3 * DAY, os.EX_OK),
    "six days, one left": (NOW - 5 * DAY, NOW + DAY, WARNING),
    "over by a second": (NOW - 5 * DAY, NOW - timedelta(seconds=1), os.EX_CONFIG),
}


@pytest.mark.parametrize(("begins", "ends", "code"), TIMES.values(), ids=list(TIMES))
def test_the_time_of_a_certificate(begins: datetime, ends: datetime, code: int) -> None:
    made = x509.load_pem_x509_certificate(certificate(HOSTNAME, begins=begins, ends=ends)[0])
    assert [each.code for each in judged("here", made, HOSTNAME, NOW)] == [code]


NAMES = {
    ("MX.our.example",): True,
    ("other.example", "mx.our.example"): True,
    ("*.our.example",): True,
    ("*.example",): False,
    ("our.example",): False,
    (): False,
}


@pytest.mark.parametrize(("names", "fits"), NAMES.items(), ids=["+".join(each) or "none" for each in NAMES])
def test_the_names_of_a_certificate(names: tuple[str, ...], fits: bool) -> None:
    made = x509.load_pem_x509_certificate(certificate(*names)[0])
    assert (len(list(judged("here", made, HOSTNAME, NOW))) == 1) == fits


# service of master.cf, its options, main.cf: where to ask, and whether only this host can
PLACES = {
    "25": ({}, "127.0.0.1:25", False),
    "smtp": ({"inet_interfaces": "loopback-only"}, "127.0.0.1:25", True),
    "submissions": ({"inet_protocols": "ipv6"}, "[::1]:465", False),
    "0.0.0.0:25": ({"inet_interfaces": "loopback-only"}, "127.0.0.1:25", False),
    "[::]:587": ({}, "[::1]:587", False),
    "[2001:db8::1]:25": ({}, "[2001:db8::1]:25", False),
    "127.0.0.1:2525": ({}, "127.0.0.1:2525", True),
    "localhost:26": ({}, "localhost:26", True),
    "submission": ({"inet_interfaces": "192.0.2.1, 127.0.0.1"}, "192.0.2.1:587", False),
}


@pytest.mark.parametrize(("name", "values", "where", "inward"), [(k, *v) for k, v in PLACES.items()], ids=list(PLACES))
def test_where_postfix_listens(name: str, values: dict[str, str], where: str, inward: bool) -> None:
    (found,) = listeners({f"{name}/inet": "smtpd -o x=y", "x/unix": "smtpd"}, {}, {"inet_interfaces": "all", **values})
    assert (str(found), found.inward) == (where, inward)


def test_what_is_no_place_to_ask() -> None:
    assert not list(listeners({"nonsense/inet": "smtpd", "26/inet": "qmqpd", "smtpd/pass": "smtpd"}, {}, {}))


def test_without_a_postfix_it_is_not_known(tmp_path: Path) -> None:
    assert said(list(smtpd.examine(SETTINGS, tmp_path))) == [("smtpd", os.EX_OK)]


def test_a_line_that_postfix_cannot_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\nsmtpd_banner\n")
    os.utime(tmp_path / "main.cf", (0, 0))  # Postfix waits for what is younger than a second
    (found,) = mta.examine(judge(NEEDED), tmp_path)
    words = f"{tmp_path}/main.cf, line 2: missing '=' after attribute name: \"smtpd_banner\""
    assert (found.code, found.words, found.fix) == (os.EX_UNAVAILABLE, words, "correct that")
