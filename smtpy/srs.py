"""Sender Rewriting Scheme: a return address on our domain that leads back to the original sender.

The addresses are those of PostSRSd, both ways: HMAC-SHA1 over the lower-cased stamp, host and user, cut to
`hash_length` characters of base64url; a two-character day stamp; SRS1 for senders that are SRS already. A server
that takes over PostSRSd's secrets loses no bounce.

Stricter on input than the scheme asks: a hash shorter than `hash_length` is refused (a one-character hash is guessed in
38 tries), a day in the future is refused, and comparison takes constant time. Both base64 alphabets are read and letter
case is ignored, because mail servers on the way change it. The local domain is not part of the hash, by design: an
address made for one of our domains is opened by any, which gives its holder nothing new: the way back to one sender,
for delivery reports only.

SRS makes long local parts longer. Over 64 octets (RFC 5321 section 4.5.3.1.1) a `SRST=` address takes over: a token
that stands for the sender in the database. Knows no clock and no database: the day and the secrets are handed in.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

_STAMP_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_STAMP_PERIOD = 1024  # days: two characters of base32
_SRS0 = re.compile(r"srs0[=+-](?P<hash>[^=]+)=(?P<stamp>[a-z2-7]{2})=(?P<host>[^=]+)=(?P<user>.+)\Z", re.I | re.S)
_SRS1 = re.compile(r"srs1[=+-](?P<hash>[^=]+)=(?P<host>[^=]+)=(?P<rest>[=+-].+)\Z", re.I | re.S)
_FOREIGN_SRS0 = re.compile(r"srs0(?P<rest>[=+-].+)\Z", re.I | re.S)
_TOKEN = re.compile(r"srst=(?P<token>[a-z2-7]{26})\Z", re.I)
_ANY = re.compile(r"(?:srs[01][=+-]|srst=)", re.I)


class BadReturnAddress(ValueError):
    """Not a return address of ours: malformed, forged or too old; the message says which."""


@dataclass(frozen=True, slots=True)
class Srs:
    """`secrets` newest first: the first signs, all are believed. `max_age_days` counts from the day of the stamp."""

    secrets: tuple[bytes, ...]
    hash_length: int = 8
    max_age_days: int = 21

    def forward(self, local: str, domain: str, day: int) -> str:
        """The local part that stands for `local@domain`; `day` counts from 1970-01-01 UTC."""
        if again := _SRS1.match(local):
            return self._srs1(again["host"], again["rest"])
        if foreign := _FOREIGN_SRS0.match(local):
            return self._srs1(domain, foreign["rest"])
        stamp = _stamp(day)
        return f"SRS0={self._hash(self.secrets[0], stamp, domain, local)}={stamp}={domain}={local}"

    def reverse(self, local: str, day: int) -> str:
        """The address that the local part of a return address stands for. Raises BadReturnAddress."""
        if found := _SRS1.match(local):
            self._verify(found["hash"], found["host"], found["rest"])
            return f"SRS0{found['rest']}@{found['host']}"
        if found := _SRS0.match(local):
            self._verify(found["hash"], found["stamp"], found["host"], found["user"])
            if (day - _day(found["stamp"])) % _STAMP_PERIOD > self.max_age_days:
                raise BadReturnAddress("return address is too old")
            return f"{found['user']}@{found['host']}"
        raise BadReturnAddress("return address is malformed")

    def _srs1(self, host: str, rest: str) -> str:
        return f"SRS1={self._hash(self.secrets[0], host, rest)}={host}={rest}"

    def _hash(self, secret: bytes, *parts: str) -> str:
        return _digest(secret, parts)[: self.hash_length]

    def _verify(self, given: str, *parts: str) -> None:
        claimed = given.lower().replace("+", "-").replace("/", "_")
        if len(claimed) < self.hash_length:
            raise BadReturnAddress("return address has a short hash")
        for secret in self.secrets:
            full = _digest(secret, parts).lower()
            if hmac.compare_digest(full[: len(claimed)].encode(), claimed.encode()):
                return
        raise BadReturnAddress("return address has a wrong hash")


def day_of(now: datetime) -> int:
    """The day that stamps count by, of an aware time: days since 1970-01-01 UTC."""
    return int(now.timestamp()) // 86_400


def is_return_address(local: str) -> bool:
    """Whether a local part claims to be a return address; nobody may declare such an alias."""
    return _ANY.match(local) is not None


def token_of(local: str) -> str | None:
    """The token of a stored return address, lower case; None when the local part is no such address."""
    found = _TOKEN.match(local)
    return found["token"].lower() if found else None


def stored(secret: bytes, sender: str) -> tuple[str, str]:
    """(local part, token) of the stored return address of a sender: the same whenever asked, guessed by nobody."""
    digest = hmac.digest(secret, b"return\0" + sender.encode(), "sha256")[:16]
    token = base64.b32encode(digest).decode("ascii").rstrip("=").lower()
    return f"SRST={token}", token


def _digest(secret: bytes, parts: tuple[str, ...]) -> str:
    # HMAC-SHA1 is the scheme's, and unbroken as a MAC; only ASCII is lowered, as the scheme's C library does.
    text = "".join(parts).encode("utf-8", "surrogateescape").lower()
    keyed = _keyed(secret).copy()
    keyed.update(text)
    return base64.urlsafe_b64encode(keyed.digest()).decode("ascii").rstrip("=")


@lru_cache(maxsize=64)
def _keyed(secret: bytes) -> hmac.HMAC:
    """To be copied, which is quicker than to make one anew."""
    return hmac.new(secret, digestmod=hashlib.sha1)


def _stamp(day: int) -> str:
    return _STAMP_ALPHABET[day >> 5 & 31] + _STAMP_ALPHABET[day & 31]


def _day(stamp: str) -> int:
    high, low = (_STAMP_ALPHABET.index(c) for c in stamp.upper())
    return high << 5 | low
