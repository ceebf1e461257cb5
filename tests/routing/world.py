"""A small world for the cases: two domains of one owner, their aliases in every state, fixed clock and secrets."""

from dataclasses import replace
from datetime import UTC, datetime

from smtpy.directory.entries import Alias, Automatic, Domain, Mode, OnDmarc, SigningKey, SwitchedOff, WhenOff
from smtpy.directory.resolve import House
from smtpy.routing.arrival import Terms
from smtpy.routing.keyring import Keyring
from smtpy.signing.key import generate
from smtpy.srs import Srs
from smtpy.vault import Vault

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SRS = Srs((b"a secret of sixteen",))
HOUSE = House("mx.example", "root@admin.example", SRS)
VAULT = Vault(("v" * 32,))
TERMS = Terms("mx.example", SRS, (b"k" * 32,), 5, Keyring(VAULT))

A = Domain(1, "a", "a.example", True, WhenOff.REJECT, "owner@home.example", None, "+")
B = replace(A, id=2, uuid="b", name="b.example")
CALM = replace(A, id=4, uuid="c", name="calm.example", on_reject=OnDmarc.HOLD, on_quarantine=OnDmarc.DELIVER)
SMALL = replace(A, id=3, uuid="s", name="small.example", max_message_bytes=2000)


def _alias(number: int, local: str, domain: Domain, **how: object) -> Alias:
    plain = Alias(
        number,
        f"alias{number}",
        local,
        domain.name,
        Mode.TRANSPARENT,
        (f"{local}@home.example",),
        None,
        WhenOff.REJECT,
        None,
        False,
    )
    return replace(plain, **how)  # type: ignore[arg-type]


ALIASES = {
    (alias.domain, alias.local): alias
    for alias in (
        _alias(1, "sales", A),
        _alias(2, "team", A, mailboxes=("ann@home.example", "ben@work.example")),
        _alias(3, "quiet", A, off=SwitchedOff.ALIAS, when_off=WhenOff.DROP),
        _alias(4, "closed", A, off=SwitchedOff.ALIAS),
        _alias(5, "info", B),
        _alias(7, "hushed", A, when_off=WhenOff.DROP),
        _alias(8, "adrift", A, mailboxes=()),
        _alias(6, "little", SMALL),
        _alias(9, "zen", CALM),
    )
}


class World:
    """A Directory of the above."""

    def domain(self, name: str) -> Domain | None:
        return {domain.name: domain for domain in (A, B, CALM, SMALL)}.get(name)

    def awaits(self, name: str) -> bool:
        return False

    def alias(self, domain: Domain, local: str) -> Alias | None:
        return ALIASES.get((domain.name, local))

    def automatic(self, domain: Domain) -> tuple[Automatic, ...]:
        catch_all = Automatic(1, "catch", None, Mode.TRANSPARENT, ("owner@home.example",))
        return (catch_all,) if domain is B else ()

    def sender(self, token: str) -> str | None:
        return None

    def signing_keys(self, domain: Domain) -> tuple[SigningKey, ...]:
        return KEYS.get(domain.name, ())


def _key(domain: Domain, algorithm: str, vault: Vault = VAULT) -> SigningKey:
    selector = algorithm.partition("-")[0]
    return SigningKey(f"{domain.name} {algorithm}", domain.name, selector, algorithm, vault.seal(generate(algorithm)))


KEYS = {
    B.name: (_key(B, "rsa-sha256"), _key(B, "ed25519-sha256")),
    SMALL.name: (_key(SMALL, "rsa-sha256", Vault(("lost" * 8,))),),
}
