"""The web pages as browsers find them: at web_origin, by HTTPS, behind whatever stands before gunicorn.

Asked for /livez, which says that a process lives. Where a host does not reach its own address (some NAT does not turn
round), that says nothing about the pages. Mail needs none of it.
"""

import http.client
import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from smtpy.config import Settings
from smtpy.doctor.certificate import RENEW, judged
from smtpy.doctor.finding import WARNING, Finding

PATIENCE_SECONDS = 3.0  # for each step


def examine(settings: Settings) -> Iterator[Finding]:
    """The certificate as browsers judge it, then whether somebody answers."""
    origin = settings.web_origin
    parts = urlsplit(origin)
    if parts.scheme != "https":
        yield Finding("web", os.EX_OK, f"not asked: {origin} is not reached by HTTPS")
        return
    host = parts.hostname or ""
    context = ssl.create_default_context()
    connection = http.client.HTTPSConnection(host, parts.port, timeout=PATIENCE_SECONDS, context=context)
    try:
        status, certificate = _asked(connection)
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message
        yield Finding("web", WARNING, f"browsers do not take the certificate of {origin} ({reason})", RENEW)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield Finding("web", os.EX_OK, f"{origin} could not be asked from this host ({reason})")
    else:
        yield from judged(origin, certificate, host, datetime.now(UTC))
        yield _answered(origin, status)
    finally:
        connection.close()


def _asked(connection: http.client.HTTPSConnection) -> tuple[int, x509.Certificate]:
    connection.connect()
    shown = connection.sock.getpeercert(binary_form=True)
    connection.request("GET", "/livez", headers={"User-Agent": "smtpy-doctor"})
    return connection.getresponse().status, x509.load_der_x509_certificate(shown or b"")


def _answered(origin: str, status: int) -> Finding:
    if status == http.client.OK:
        return Finding("web", os.EX_OK, f"{origin} answers")
    words = f"{origin} answers {status} where it should say that it lives"
    return Finding("web", WARNING, words, "see whether gunicorn runs, and the log of what stands before it")
