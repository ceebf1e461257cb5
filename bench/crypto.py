"""Signatures alone, DNS on paper: what one forwarded message costs, and what a hostile one does.

A forwarded message has two signatures of its author (RSA 2048 and Ed25519) and one ARC set (RSA 2048). They are
verified, it is signed with both algorithms, and gets a set of ours. Each figure is processor time of this thread, so
that other work on the machine hardly shows: the median of many for the first, the best of three for the others.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.machine import Failed
from smtpy.authn.authenticate import read_claims
from smtpy.mail.message import Field, parts
from smtpy.signing import arc, dkim, key
from smtpy.signing.arc import Validated
from smtpy.signing.body import OURS, BodyDigest, BodyHashes
from smtpy.signing.header import Header
from smtpy.signing.key import Algorithm, Signer
from smtpy.signing.making import Unsignable
from smtpy.signing.result import Result
from tests.dns import Zone

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGETS_MS = {5_000: 2.0, 100_000: 6.0}  # by octets of body
HOSTILE_MS = 100.0  # for each megabyte, and for anything smaller
MEGABYTE = 1_000_000
CHUNK = 65_535  # octets, as the milter protocol hands a body over
LINE = b"A line of text as people write them, with some blanks  in it.\r\n"
HEADER = b"""\
Received: from mx.list.example (mx.list.example [192.0.2.9])\n\tby mx.our.example with ESMTPS; Mon, 23 Nov 2026
From: Anna <anna@sender.example>
To: Sales <sales@our.example>
Cc: bob@third.example
Subject: A message of the benchmark
Date: Mon, 23 Nov 2026 12:00:00 +0000
Message-ID: <1.benchmark@sender.example>
References: <0.benchmark@sender.example>
In-Reply-To: <0.benchmark@sender.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
X-Mailer: benchmark

"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as the milter gets it."""

    fields: tuple[Field, ...]
    body: bytes

    def digest(self) -> BodyDigest:
        """What our own signatures cover."""
        hashes = BodyHashes([OURS])
        hashes.update(self.body)
        return hashes.finish()[OURS]

    def topped(self, *fields: tuple[str, str]) -> "Letter":
        """The same with fields put on top, one after the other."""
        new = (Field(name.encode(), b" " + value.encode()) for name, value in reversed(fields))
        return Letter((*new, *self.fields), self.body)


class Keys:
    """Signers, and the DNS that publishes them."""

    def __init__(self) -> None:
        self.zone = Zone({})

    def made(self, algorithm: Algorithm, domain: str) -> Signer:
        """A new one."""
        private, selector = key.generate(algorithm), algorithm.partition("-")[0]
        self.publish(f"{selector}._domainkey.{domain}", key.record_of(algorithm, key.public_of(private)))
        return key.load(private, algorithm, domain, selector)

    def publish(self, name: str, text: str) -> None:
        self.zone.names[name] = {"TXT": [text]}


def main() -> int:
    """The tables, on stdout; 1 when something takes longer than it may."""
    rows = [*_forwarding(), *_hostile()]
    print("| | ms | ms allowed | |\n| --- | ---: | ---: | --- |")
    for what, taken, allowed in rows:
        print(f"| {what} | {taken:.2f} | {allowed:.0f} | {'' if taken <= allowed else 'TOO LONG'} |")
    return int(any(taken > allowed for _, taken, allowed in rows))


def _forwarding() -> Iterator[tuple[str, float, float]]:
    keys = Keys()
    author = [keys.made(each, "sender.example") for each in ("rsa-sha256", "ed25519-sha256")]
    ours = [keys.made(each, "our.example") for each in ("rsa-sha256", "ed25519-sha256")]
    sealer = keys.made("rsa-sha256", "list.example")
    for octets, allowed in TARGETS_MS.items():
        letter = Letter(parts(HEADER)[0], LINE * (octets // len(LINE)))
        for each in author:
            letter = _signed(letter, each)
        letter = _sealed(letter, Validated(Result.NONE, 0), sealer)
        if forward(letter, keys.zone, ours) != "pass pass pass":
            raise Failed(f"what was to be verified does not: {forward(letter, keys.zone, ours)}")
        taken = [_milliseconds(lambda letter=letter: forward(letter, keys.zone, ours)) for _ in range(300)]  # type: ignore[misc]
        yield f"verify two signatures and a set, seal, sign twice: {octets // 1000} KB", median(taken), allowed


def forward(letter: Letter, zone: Zone, signers: list[Signer]) -> str:
    """All that signatures take of a forwarded message; the verdicts."""
    claims = read_claims(letter.fields)
    hashes = BodyHashes({OURS, *claims.specs})
    for start in range(0, len(letter.body), CHUNK):
        hashes.update(letter.body[start : start + CHUNK])
    digests = hashes.finish()
    verified = dkim.verify(claims.header, claims.signatures, digests, zone, NOW)
    validated = arc.validate(claims.header, claims.chain, digests, zone, NOW)
    fields = [("DKIM-Signature", dkim.sign(claims.header, digests[OURS], each, NOW)) for each in signers]
    header = Header(letter.topped(*fields).fields)
    arc.seal(header, digests[OURS], validated, signers[0], "mx.our.example; none", NOW)
    return " ".join([*(each.result for each in verified), validated.result])


def _signed(letter: Letter, signer: Signer) -> Letter:
    return letter.topped(("DKIM-Signature", dkim.sign(Header(letter.fields), letter.digest(), signer, NOW)))


def _sealed(letter: Letter, validated: Validated, signer: Signer) -> Letter:
    results = "mx.list.example; spf=pass smtp.mailfrom=sender.example; dkim=pass; dmarc=pass header.from=sender.example"
    return letter.topped(*arc.seal(Header(letter.fields), letter.digest(), validated, signer, results, NOW))


def _hostile() -> Iterator[tuple[str, float, float]]:
    """What other libraries take seconds for; ms for a megabyte, or for the whole of something smaller."""
    keys = Keys()
    by_us = keys.made("ed25519-sha256", "our.example")
    plain = Letter(parts(HEADER)[0], b"text\r\n")
    for name, body in (
        ("20 KB of blanks in a body", b" " * 20_000 + b"x\r\n"),
        ("100 KB of blanks in a body", b" " * 100_000 + b"x\r\n"),
        ("1 MB of blanks in a body", b" " * MEGABYTE + b"x\r\n"),
        ("300,000 blank lines, then x", b"\r\n" * 300_000 + b"x\r\n"),
    ):
        letter = _signed(Letter(plain.fields, body), by_us)
        yield _worst(name, letter, keys, by_us, len(body))
    many = Letter(plain.fields, LINE * (200_000 // len(LINE)))
    for _ in range(200):
        many = _signed(many, by_us)
    yield _worst("200 KB with 200 signatures", many, keys, by_us, len(many.body))
    blanks = "v=1; a=rsa-sha256; d=a.example; s=r; h=from; bh=AAAA; b=A" + " " * 20_000 + "!"
    yield _worst("b= with 20,000 blanks", plain.topped(("DKIM-Signature", blanks)), keys, by_us, 0)
    folded = Letter((Field(b"Subject", b"\n\tfirst\n\tline"), Field(b"X-Foo ", b" bar"), *plain.fields), plain.body)
    yield _worst("first line folded, a blank before the colon", folded, keys, by_us, 0)
    yield _worst("10,000 fields", Letter((*plain.fields, *[Field(b"X", b" 1")] * 10_000), b""), keys, by_us, 0)
    for bits in (8192, 16_384, 32_768):
        letter = _signed(plain, by_us)
        value = letter.fields[0].value.replace(b"ed25519-sha256", b"rsa-sha256").replace(b"s=ed25519", b"s=great")
        signed = Letter((Field(b"DKIM-Signature", value), *plain.fields), plain.body)
        keys.publish("great._domainkey.our.example", great_key(bits))
        yield _worst(f"a key of {bits} bits, and such an exponent", signed, keys, by_us, 0)


def great_key(bits: int) -> str:
    """The record of an RSA key that nobody has: modulus and exponent as long as that."""
    public = rsa.RSAPublicNumbers(e=(1 << bits - 1) - 1, n=(1 << bits) - 1).public_key()
    return key.record_of("rsa-sha256", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _worst(name: str, letter: Letter, keys: Keys, signer: Signer, octets: int) -> tuple[str, float, float]:
    def work() -> None:
        key.parse_public.cache_clear()
        with suppress(Unsignable):  # two hundred signatures are more than an h= list takes
            forward(letter, keys.zone, [signer])

    taken = min(_milliseconds(work) for _ in range(3))
    megabytes = max(octets / MEGABYTE, 1.0)
    return f"hostile: {name}", taken / megabytes, HOSTILE_MS


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1000
