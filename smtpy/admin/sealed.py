"""What lies sealed in the database: private keys that sign, and the seeds of authenticator apps.

A new place for a secret is a row of SEALED, so that it is sealed anew with the others when an encryption key is
replaced, and missed with them when one is lost.
"""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from smtpy.admin.change import Change
from smtpy.store.schema import SigningKey, User
from smtpy.vault import BadVault, Vault

KEYS, APPS = "keys", "apps"
SEALED: Mapping[str, InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None]] = {
    KEYS: SigningKey.private,
    APPS: User.totp,
}


def reseal(c: Change) -> int:
    """Seal all with the newest encryption key, so that the older ones can go; how many were not yet.

    What none of the keys opens stays as it is. `c` has a vault.
    """
    assert c.vault  # noqa: S101 - a mistake of the caller
    count = 0
    for column in SEALED.values():
        for row in c.session.scalars(select(column.class_).where(column.is_not(None))):
            sealed: bytes = getattr(row, column.key)
            if not c.vault.is_newest(sealed) and opens(c.vault, sealed):
                setattr(row, column.key, c.vault.seal(c.vault.open(sealed)))
                count += 1
    if count:
        c.note("secret.reseal", "database", None, {"count": count})
    return count


def unopened(session: Session, vault: Vault) -> dict[str, int]:
    """How many of each kind the vault cannot open, those left out of which there are none."""
    lost = {
        kind: sum(not opens(vault, each) for each in session.scalars(select(column).where(column.is_not(None))) if each)
        for kind, column in SEALED.items()
    }
    return {kind: number for kind, number in lost.items() if number}


def opens(vault: Vault | None, sealed: bytes) -> bool:
    """Whether the secret can be had."""
    if vault is None:
        return False
    try:
        vault.open(sealed)
    except BadVault:
        return False
    return True
