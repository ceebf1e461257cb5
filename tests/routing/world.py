"""A small world for the cases: two domains of one owner, their aliases in every state, fixed clock and secrets."""

from dataclasses import replace
from datetime import UTC, datetime

from smtpy.directory.entries import Alias, Automatic, Domain, Mode, SwitchedOff, WhenOff
from smtpy.directory.resolve import House
from smtpy.routing.plan import Terms
from smtpy.srs import Srs

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SRS = Srs((b"a secret of sixteen",))
HOUSE = House("mx.example", "root@admin.example", SRS)
TERMS = Terms(SRS, (b"k" * 32,), max_hops=5)

A = Domain(1, "a", "a.example", True, WhenOff.REJECT, "owner@home.example", None, "+")
B = replace(A, id=2, uuid="b", name="b.example")
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
    )
}


class World:
    """A Directory of the above."""

    def domain(self, name: str) -> Domain | None:
        return {domain.name: domain for domain in (A, B, SMALL)}.get(name)

    def alias(self, domain: Domain, local: str) -> Alias | None:
        return ALIASES.get((domain.name, local))

    def automatic(self, domain: Domain) -> tuple[Automatic, ...]:
        catch_all = Automatic(1, "catch", None, Mode.TRANSPARENT, ("owner@home.example",))
        return (catch_all,) if domain is B else ()

    def sender(self, token: str) -> str | None:
        return None
