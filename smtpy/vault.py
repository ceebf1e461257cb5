"""Secrets at rest: sealed with a key from the settings, so that a copy of the database alone signs nobody's mail.

Fernet (AES-128-CBC with HMAC-SHA256) under keys that HKDF-SHA256 (RFC 5869) derives from the settings' texts. The first
key seals; all of them open, so that one may be replaced while what the old one sealed is still there. What cannot be
opened is BadVault, never an empty secret: whoever asks has to say that the key is missing.
"""

import base64
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"smtpy vault 1"  # another use of the same text gets another key


class BadVault(Exception):
    """None of the keys opens it: it was sealed with a key that the settings have no more, or it is damaged."""


class Vault:
    """`keys`: the texts of the setting `encryption_keys`, newest first; at least one."""

    def __init__(self, keys: Iterable[str]) -> None:
        each = [_fernet(text) for text in keys]
        self._newest, self._all = each[0], MultiFernet(each)

    def seal(self, secret: bytes) -> bytes:
        """The secret as it may lie in a database; another text each time."""
        return self._newest.encrypt(secret)

    def open(self, sealed: bytes) -> bytes:
        """The secret that was sealed. Raises BadVault."""
        try:
            return self._all.decrypt(sealed)
        except InvalidToken:
            raise BadVault("no encryption key of the settings opens it") from None

    def is_newest(self, sealed: bytes) -> bool:
        """Whether it is sealed with the first key, so that the others are not needed for it."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            return False
        return True


def _fernet(text: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(text.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
