"""What there is to say of the certificate that Postfix shows.

Sending servers do not look who signed it, as a rule (RFC 7435), so one that signs itself will do; those that do look
(MTA-STS, DANE with names, people's own programs) also want the right name and time.
"""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from smtpy.doctor.finding import WARNING, Finding

SOON = timedelta(days=14)  # whoever renews by a machine does it at a third of the time left, at a half if that is short
RENEW = "renew it; where a machine is to do that, see why it has not, as by `certbot renew --dry-run`"


def judged(where: str, certificate: x509.Certificate, hostname: str, now: datetime) -> Iterator[Finding]:
    """Its time, then its names."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        words = f"the certificate at {where} is good from {begins:%Y-%m-%d %H:%M} on, and not yet"
        yield Finding("tls", os.EX_CONFIG, words, "see whether the clock is right, or have another one made")
    elif now >= ends:
        words = f"the certificate at {where} has ended on {ends:%Y-%m-%d}, so whoever looks at it brings no mail"
        yield Finding("tls", os.EX_CONFIG, words, RENEW)
    elif ends - now < min(SOON, (ends - begins) / 4):
        yield Finding("tls", WARNING, f"the certificate at {where} ends on {ends:%Y-%m-%d}", RENEW)
    elif certificate.issuer == certificate.subject:
        words = f"the certificate at {where} is good until {ends:%Y-%m-%d}, and signs itself: not enough for MTA-STS"
        yield Finding("tls", os.EX_OK, words)
    else:
        yield Finding("tls", os.EX_OK, f"the certificate at {where} is good until {ends:%Y-%m-%d}")
    names = _names(certificate)
    if not any(_fits(name, hostname) for name in names):
        words = f"the certificate at {where} is for {', '.join(names) or 'no name'}, not for {hostname}"
        yield Finding("tls", WARNING, words, f"have one made for {hostname}")


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return named.get_values_for_type(x509.DNSName)


def _fits(name: str, hostname: str) -> bool:
    """A star stands for the first label (RFC 9525 section 6.3)."""
    name = name.lower()
    return name == hostname or (name.startswith("*.") and name[2:] == hostname.partition(".")[2])
