"""Signing keys, opened and loaded once: reading an RSA key costs more than all of a message's other work."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from smtpy.directory.entries import SigningKey
from smtpy.signing.key import Signer, load
from smtpy.vault import BadVault, Vault


@dataclass(frozen=True, slots=True)
class Keyring:
    """`unopened` are the keys that the vault could not open; they sign nothing, and the mail goes on without."""

    vault: Vault
    _loaded: dict[str, Signer] = field(default_factory=dict)
    unopened: set[str] = field(default_factory=set)

    def signers(self, keys: Iterable[SigningKey]) -> tuple[Signer, ...]:
        """Those of the keys that can sign, in the order given."""
        return tuple(signer for key in keys if (signer := self._signer(key)))

    def _signer(self, key: SigningKey) -> Signer | None:
        if key.uuid not in self._loaded:
            try:
                private = self.vault.open(key.private)
            except BadVault:
                self.unopened.add(key.uuid)
                return None
            self._loaded[key.uuid] = load(private, key.algorithm, key.domain, key.selector)
        return self._loaded[key.uuid]
