"""Signing by hand, with SMTPy's own functions and keys made for the occasion, without any mail path around it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from smtpy.mail.envelope import Envelope
from smtpy.mail.message import read
from smtpy.signing import arc, dkim
from smtpy.signing.arc import Validated
from smtpy.signing.body import OURS, BodyDigest, BodyHashes
from smtpy.signing.header import Header
from smtpy.signing.key import Algorithm, Signer, generate, load, public_of, record_of
from smtpy.signing.result import Result
from tests.judges.names import txt

ALGORITHMS: tuple[Algorithm, ...] = ("rsa-sha256", "ed25519-sha256")
NEW = Validated(Result.NONE, 0)


@dataclass(frozen=True, slots=True)
class Pen:
    """A domain's keys, one of each algorithm, and the records to publish."""

    rsa: Signer
    ed25519: Signer
    records: tuple[str, ...]

    def signed(self, data: bytes) -> bytes:
        """The message with a DKIM-Signature of each key on top. Raises Unsignable."""
        for signer in (self.rsa, self.ed25519):
            header, body = _parts(data)
            data = _topped(data, [("DKIM-Signature", dkim.sign(header, body, signer, _now()))])
        return data

    def sealed(self, data: bytes, results: str, validated: Validated = NEW) -> bytes:
        """The message with an ARC set on top. Raises Unsignable."""
        header, body = _parts(data)
        return _topped(data, arc.seal(header, body, validated, self.rsa, results, _now()))


def cut(domain: str) -> Pen:
    """New keys for that domain."""
    private = [generate(each) for each in ALGORITHMS]
    signers = [load(der, each, domain, each.partition("-")[0]) for der, each in zip(private, ALGORITHMS, strict=True)]
    records = [
        txt(f"{signer.selector}._domainkey.{domain}", record_of(signer.algorithm, public_of(der)))
        for signer, der in zip(signers, private, strict=True)
    ]
    return Pen(*signers, tuple(records))


def _parts(data: bytes) -> tuple[Header, BodyDigest]:
    head, _, body = data.partition(b"\r\n\r\n")
    hashes = BodyHashes({OURS})
    hashes.update(body)
    return Header(read(head + b"\r\n", Envelope("", (), "")).fields), hashes.finish()[OURS]


def _topped(data: bytes, fields: Iterable[tuple[str, str]]) -> bytes:
    """As a milter has Postfix do it: each field on top of the last, LF made CRLF."""
    for name, value in fields:
        data = f"{name}: {value}\n".replace("\n", "\r\n").encode() + data
    return data


def _now() -> datetime:
    # Whoever checks may have another idea of this second.
    return datetime.now(UTC) - timedelta(seconds=2)
