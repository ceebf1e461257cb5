"""Postfix as a client meets it: each smtpd of master.cf greets, and offers TLS with a certificate that is good.

Each is asked EHLO, and STARTTLS where it offers that. Ports 465 and 587 are asked where master.cf has them: SMTPy takes
no mail from people's programs, but Postfix may. Whether the world comes through to port 25 cannot be seen from within.
"""

import os
import smtplib
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from smtpy.config import Settings
from smtpy.doctor.certificate import judged
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.listeners import SMTP, Listener
from smtpy.doctor.postfix import NoPostfix, Postfix

PATIENCE_SECONDS = 5.0  # for each step of a dialog
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Met:
    """What came of asking. `trouble`: why it did not greet; `certificate`: the one shown; None: no TLS is offered."""

    listener: Listener
    trouble: str = ""
    certificate: x509.Certificate | None = None


def examine(settings: Settings, folder: Path | None) -> Iterator[Finding]:
    """All that master.cf has, at once."""
    try:
        there = Postfix(folder).listeners()
    except NoPostfix:  # said by the check of its configuration
        yield Finding("smtpd", os.EX_OK, "not asked: nothing tells where Postfix listens")
        return
    yield from _world(there)
    asked = [each for each in there if not each.proxied]
    yield from (_proxied(each) for each in there if each.proxied)
    with ThreadPoolExecutor(AT_ONCE) as crew:
        for met in crew.map(lambda each: meet(each, settings.hostname), asked):
            yield from _told(met, settings.hostname)


def _world(there: tuple[Listener, ...]) -> Iterator[Finding]:
    """Other servers come to port 25 and to no other (RFC 5321 section 4.5.4.2)."""
    if all(each.inward for each in there):
        yield Finding("smtpd", os.EX_OK, "master.cf has none that is reached from outside this host")
    elif not any(each.port == SMTP and not each.inward for each in there):
        words = "master.cf has no smtpd on port 25, where other servers bring mail"
        yield Finding("smtpd", WARNING, words, "have one listen there, by SMTP_LISTEN of postfix/instance")


def _proxied(listener: Listener) -> Finding:
    return Finding("smtpd", os.EX_OK, f"{listener} is not asked: it speaks to a proxy only")


def meet(listener: Listener, name: str) -> Met:
    """Ask one listener, under this name."""
    try:
        with _connected(listener, name) as client:
            client.ehlo()
            if not listener.wrapped and client.has_extn("starttls"):
                client.starttls(context=_unquestioning())
            return Met(listener, certificate=_shown(client))
    except ssl.SSLError as error:
        return Met(listener, f"TLS does not come about there ({error.reason})")
    except smtplib.SMTPResponseException as answer:
        return Met(listener, f"it says {answer.smtp_code}")
    except (OSError, smtplib.SMTPException) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Met(listener, f"nobody answers ({reason})")
    except ValueError:
        return Met(listener, "its certificate cannot be read")


def _connected(listener: Listener, name: str) -> smtplib.SMTP:
    host, port, seconds = listener.host, listener.port, PATIENCE_SECONDS
    if listener.wrapped:
        return smtplib.SMTP_SSL(host, port, name, timeout=seconds, context=_unquestioning())
    return smtplib.SMTP(host, port, name, timeout=seconds)


def _unquestioning() -> ssl.SSLContext:
    """Takes any certificate: it is to be looked at, not believed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _shown(client: smtplib.SMTP) -> x509.Certificate | None:
    shown = client.sock.getpeercert(binary_form=True) if isinstance(client.sock, ssl.SSLSocket) else None
    return x509.load_der_x509_certificate(shown) if shown else None


def _told(met: Met, hostname: str) -> Iterator[Finding]:
    where = str(met.listener)
    if met.trouble:
        words, fix = f"smtpd at {where}: {met.trouble}", "see Postfix's log, and whether it runs"
        yield Finding("smtpd", os.EX_UNAVAILABLE, words, fix)
        return
    yield Finding("smtpd", os.EX_OK, f"smtpd at {where} greets")
    if met.certificate is not None:
        yield from judged(where, met.certificate, hostname, datetime.now(UTC))
    elif not met.listener.inward:
        words = f"smtpd at {where} offers no TLS, so mail comes in the clear"
        fix = "set smtpd_tls_chain_files, and smtpd_tls_security_level to may; one that signs itself will do"
        yield Finding("tls", WARNING, words, fix)
