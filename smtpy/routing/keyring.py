"""Signing keys, opened and loaded once: reading an RSA key costs more than all of a message's other work."""

from collections.abc import Iterable
from functools import lru_cache

from smtpy.directory.entries import SigningKey
from smtpy.signing.key import Signer, load
from smtpy.vault import BadVault, Vault

KEPT = 10_000  # keys, some kilobytes each


class Keyring:
    """Safe for several threads."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._signer = lru_cache(KEPT)(self._opened)

    def signers(self, keys: Iterable[SigningKey]) -> tuple[Signer, ...]:
        """Those of the keys that can sign, in the order given. One that the vault cannot open signs nothing."""
        return tuple(signer for key in keys if (signer := self._signer(key)))

    def _opened(self, key: SigningKey) -> Signer | None:
        try:
            private = self._vault.open(key.private)
        except BadVault:
            return None
        return load(private, key.algorithm, key.domain, key.selector)
