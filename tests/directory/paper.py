"""A directory on paper: what is declared stands in the test, and what it cannot tell is told to it too."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

from smtpy.directory.entries import Alias, Automatic, Domain, Mode, SigningKey, WhenOff
from smtpy.directory.questions import Directory
from smtpy.directory.resolve import House
from smtpy.srs import Srs
from smtpy.store.cache import NotCached

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days
SRS = Srs((b"a secret of sixteen",))
HOUSE = House("mx.our.example", "root@admin.example", SRS)
OUR = Domain(1, "d1", "our.example", True, WhenOff.REJECT, "owner@home.example", None, "+")


def domain(name: str, **how: Any) -> Domain:
    """A domain that is on, with `+` extensions and a mailbox for its roles, but for what is said."""
    return replace(OUR, name=name, **how)


def alias(local: str, of: Domain = OUR, **how: Any) -> Alias:
    """An alias that is on and leads to <local>@home.example, but for what is said."""
    mailboxes = (f"{local}@home.example",)
    plain = Alias(7, "a7", local, of.name, Mode.TRANSPARENT, mailboxes, None, WhenOff.REJECT, None, False)
    return replace(plain, **how)


def rule(pattern: str | None, *mailboxes: str, number: int = 3) -> Automatic:
    """An automatic alias; pattern None is the catch-all."""
    return Automatic(number, f"r{number}", pattern, Mode.TRANSPARENT, mailboxes)


@dataclass
class Paper:
    """A Directory. `asked` holds every question put to it; `answering` is cleared to make it hang."""

    domains: Iterable[Domain] = (OUR,)
    aliases: Iterable[Alias] = ()
    awaited: Iterable[str] = ()
    rules: tuple[Automatic, ...] = ()
    senders: dict[str, str] = field(default_factory=dict)
    keys: tuple[SigningKey, ...] = ()
    trouble: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    answering: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.answering.set()

    def domain(self, name: str) -> Domain | None:
        self._ask("domain", name)
        return {each.name: each for each in self.domains}.get(name)

    def awaits(self, name: str) -> bool:
        self._ask("awaits", name)
        return name in self.awaited

    def alias(self, domain: Domain, local: str) -> Alias | None:
        self._ask("alias", local)
        return {(each.domain, each.local): each for each in self.aliases}.get((domain.name, local))

    def automatic(self, domain: Domain) -> tuple[Automatic, ...]:
        self._ask("automatic", domain.name)
        return self.rules

    def sender(self, token: str) -> str | None:
        self._ask("sender", token)
        return self.senders.get(token)

    def signing_keys(self, domain: Domain) -> tuple[SigningKey, ...]:
        self._ask("signing_keys", domain.name)
        return tuple(each for each in self.keys if each.domain == domain.name)

    def ready(self) -> Directory:
        return self

    def rest(self) -> Directory:
        return self.ready()

    def _ask(self, question: str, about: str) -> None:
        self.asked.append((question, about))
        self.answering.wait()
        if self.trouble:
            raise self.trouble


class Cold(Paper):
    """A directory that remembers nothing but elsewhere.example, which is none of ours."""

    def ready(self) -> Directory:
        return _Memory()


class _Memory(Paper):
    def domain(self, name: str) -> None:
        if name != "elsewhere.example":
            raise NotCached("not in memory")
