"""A certificate is renewed: the new one is shown after `postfix reload`, and no session notices."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialog import Dialog
from tests.stand import Stand
from tests.waiting import until

CLIENT = "127.0.0.2"
NO_TLS, NO_MILTER = "454 4.7.0 TLS not available due to local problem", "454 4.3.0 Try again later"
TRANSACTION = ("friend@sender.example", ["alias@our.example"], b"Subject: hello\r\n\r\nhello\r\n")


def write_chain(path: Path, name: str) -> None:
    """A key, and a certificate that names it so; whole or not at all, as the hook of certbot does it."""
    new = path.with_suffix(".new")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", str(new), "-out", str(new))
    words = ["openssl", "req", "-x509", "-noenc", "-days", "2", "-subj", f"/CN={name}", *key]
    subprocess.run(words, check=True, capture_output=True)
    new.rename(path)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Where Postfix finds its certificate."""
    write_chain(tmp_path / "chain.pem", "old.example")
    return tmp_path / "chain.pem"


@pytest.fixture
def front(chain: Path) -> Iterator[Stand]:
    """Postfix alone, with that certificate."""
    one = Stand(services=(), postfix=("smtpd_tls_security_level = may", f"smtpd_tls_chain_files = {chain}"))
    try:
        one.open()
        yield one
    finally:
        one.close()


def named(dialog: Dialog) -> str:
    """STARTTLS; the name in the certificate."""
    certificate = dialog.encrypt()
    return next(name for name in ("old.example", "new.example") if name.encode() in certificate)


def shown(front: Stand) -> str:
    """The name in the certificate that a new session is shown."""
    with front.dialog(client=CLIENT) as dialog:
        dialog.hello()
        return named(dialog)


def test_a_renewed_certificate_is_shown_and_no_session_ends(front: Stand, chain: Path) -> None:
    with front.dialog(client=CLIENT) as plain, front.dialog(client=CLIENT) as encrypted:
        plain.hello()
        encrypted.hello()
        assert named(encrypted) == "old.example"
        write_chain(chain, "new.example")
        front.reload()
        until(lambda: shown(front) == "new.example", "the new certificate")
        assert named(plain) == "old.example"  # a process keeps what it has read; its session goes on
        for dialog in (plain, encrypted):
            dialog.command("EHLO client.example")
            assert dialog.transaction(*TRANSACTION).accepted


def test_a_chain_that_cannot_be_read_costs_encryption_and_no_mail(front: Stand, chain: Path) -> None:
    """STARTTLS is put off, so who insists on it comes again; who does not is heard without."""
    chain.write_text("-----BEGIN CERTIFICATE-----\n")
    front.reload()

    def refused() -> bool:
        with front.dialog(client=CLIENT) as dialog:
            dialog.hello()
            return str(dialog.command("STARTTLS")) == NO_TLS

    until(refused, "STARTTLS put off")
    assert front.send(*TRANSACTION, client=CLIENT).accepted
    write_chain(chain, "new.example")
    front.reload()
    until(lambda: not refused() and shown(front) == "new.example", "the certificate")


def test_without_the_milter_encryption_is_put_off_too(front: Stand) -> None:
    front.configure("smtpd_milters = unix:/nowhere")

    def put_off() -> bool:
        with front.dialog(client=CLIENT) as dialog:
            dialog.hello()
            return str(dialog.command("STARTTLS")) == NO_MILTER

    until(put_off, "STARTTLS put off")
