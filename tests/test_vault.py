"""The vault: what is sealed comes out again, with any key that is left, and otherwise not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.vault import BadVault, Vault

OLD, NEW, OTHER = "old" * 16, "new" * 16, "other" * 16


@given(st.binary(max_size=3000))
def test_what_is_sealed_comes_out_and_does_not_show(secret: bytes) -> None:
    vault = Vault([NEW])
    sealed = vault.seal(secret)
    assert vault.open(sealed) == secret
    assert len(secret) < 8 or secret not in sealed
    assert vault.seal(secret) != sealed


def test_43_a_key_is_replaced_while_the_old_one_still_opens() -> None:
    sealed = Vault([OLD]).seal(b"secret")
    both = Vault([NEW, OLD])
    assert both.open(sealed) == b"secret"
    assert not both.is_newest(sealed)
    anew = both.seal(both.open(sealed))
    assert both.is_newest(anew)
    assert Vault([NEW]).open(anew) == b"secret"


@pytest.mark.parametrize("damage", ["another key", "cut", "changed", "empty", "not ours"])
def test_what_cannot_be_opened_says_so(damage: str) -> None:
    vault = Vault([NEW, OLD])
    sealed = vault.seal(b"secret")
    damaged = {
        "another key": Vault([OTHER]).seal(b"secret"),
        "cut": sealed[:-4],
        "changed": sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:],
        "empty": b"",
        "not ours": b"\xff" * 100,
    }[damage]
    with pytest.raises(BadVault, match="no encryption key"):
        vault.open(damaged)
    assert not vault.is_newest(damaged)


def test_keys_sealed_today_open_tomorrow() -> None:
    """The derivation and the format are kept; what was sealed once must open for ever."""
    sealed = b"gAAAAABrA_rx4qM_f_xAnGpVk1yjGQ68zCybQyRd-xGxffNBCgCLUFqWjJ5hKHK26e8fV9VSdG2Ut_s9mfPosR_aVzO6nbpAqw=="
    assert Vault([OLD]).open(sealed) == b"a private key"
