"""What this process remembers of the directory: answers of both kinds, bounded, the least recently used go first.

An answer holds until the epoch moves; then it is asked again. When the database does not answer, the last answer is
given (serve-stale) if it was one: mail to a known address goes on while the database is away. An address never asked
for, or unknown before the last change, is Unavailable then, never "no".

One "no" is as good as the answers given then: that a domain which mailboxes behind them are on is none of ours, since
the directory allows no mailbox there. Postfix asks about each mailbox it was given (cleanup, virtual_alias_maps), so
mail to a known address would stop at its mailbox otherwise, whenever anything had changed since the last message there.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Engine

from smtpy.directory.entries import Alias, Automatic, Domain, SigningKey
from smtpy.directory.questions import Directory, Unavailable
from smtpy.mail.address import parse_domain
from smtpy.store.epoch import EpochWatcher

REST_SECONDS = 1.0  # after a failure nobody asks for so long: a locked database would cost each message the deadline
_NEVER = -1  # a generation no epoch has
NOTHING = (None, (), False)  # the answers that are "no"

_Key = tuple[object, ...]
_T = TypeVar("_T")


class NotCached(Exception):
    """The answer is not in memory; ask again where waiting is allowed. Not Unavailable, which some make do with."""


class Unsure(Unavailable):
    """The database answered, but this answer is not to be believed now; the next one may be."""


class Source(Directory, Protocol):
    """A directory on a database."""

    @property
    def engine(self) -> Engine: ...

    def close(self) -> None: ...


class _Remembering(ABC):
    """`questions.Directory`, each question under its key."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def domain(self, name: str) -> Domain | None:
        return self._answer(("domain", name), lambda: self._source.domain(name))

    def awaits(self, name: str) -> bool:
        return self._answer(("awaits", name), lambda: self._source.awaits(name))

    def alias(self, domain: Domain, local: str) -> Alias | None:
        return self._answer(("alias", domain.id, local), lambda: self._source.alias(domain, local))

    def automatic(self, domain: Domain) -> tuple[Automatic, ...]:
        return self._answer(("automatic", domain.id), lambda: self._source.automatic(domain))

    def sender(self, token: str) -> str | None:
        # Tokens come and go without a bump, so the answer is kept for an outage only.
        return self._answer(("sender", token), lambda: self._source.sender(token), lasting=False)

    def signing_keys(self, domain: Domain) -> tuple[SigningKey, ...]:
        return self._answer(("signing_keys", domain.id), lambda: self._source.signing_keys(domain))

    @abstractmethod
    def _answer(self, key: _Key, ask: Callable[[], _T], *, lasting: bool = True) -> _T:
        """The answer under that key; `ask` puts the question to the source."""


class CachedDirectory(_Remembering):
    """A directory that remembers up to `entries` answers. For any number of threads.

    `known` counts the answers given from memory, `asked` the questions put to the database, and `stale` the answers
    that were given from memory because the database did not answer.
    """

    def __init__(self, source: Source, watcher: EpochWatcher, entries: int) -> None:
        super().__init__(source)
        self.known = self.asked = self.stale = 0
        self._watcher = watcher
        self._entries = entries
        self._held: OrderedDict[_Key, tuple[int, Any]] = OrderedDict()
        self._outside: OrderedDict[_Key, None] = OrderedDict()  # domains of mailboxes behind answers
        self._lock = threading.Lock()
        self._resting_until = 0.0
        self._ready = _Ready(self)

    @property
    def engine(self) -> Engine:
        """The database below, for what is not asked but written."""
        return self._source.engine

    def ready(self) -> Directory:
        """The same answers, from memory only: raises NotCached where the database would have to be asked."""
        return self._ready

    def rest(self) -> Directory:
        """The same, when the database has been silent for too long: it is not asked for a moment, and stale ones do."""
        self._resting_until = time.monotonic() + REST_SECONDS
        return self._ready

    def told(self) -> dict[str, float]:
        """How it does, for `smtpy.pulse`."""
        counted = {"memory": self.known, "database": self.asked, "stale": self.stale}
        return {**{f"answers {source}": number for source, number in counted.items()}, "watching": self._watcher.alive}

    def close(self) -> None:
        """Stop watching and let go of the database."""
        self._watcher.stop()
        self._source.close()

    def held(self, key: _Key) -> tuple[bool, Any]:
        """(whether there is an answer that may be given now, the answer). A stale one may while the database rests."""
        answer = None
        with self._lock:
            if (found := self._held.get(key)) is not None:
                self._held.move_to_end(key)
                generation, answer = found
                if generation == self._watcher.generation:
                    self.known += 1
                    return True, answer
        # An old "no" is not "no" any more: there has been a change since, and it may have been this address's.
        if (answer not in NOTHING or key in self._outside) and time.monotonic() < self._resting_until:
            self.stale += 1
            return True, answer
        return False, None

    def _answer(self, key: _Key, ask: Callable[[], _T], *, lasting: bool = True) -> _T:
        known, answer = self.held(key)
        if known:
            return cast("_T", answer)
        if time.monotonic() < self._resting_until:
            raise Unavailable("the database did not answer a moment ago")
        # Taken before asking: an answer older than a change must not pass for one that is younger.
        generation = self._watcher.generation if lasting else _NEVER
        with self._lock:
            self.asked += 1
        try:
            fresh = ask()
        except Unavailable as error:
            if not isinstance(error, Unsure):
                self.rest()
            known, answer = self.held(key)
            if known or key in self._outside:
                return cast("_T", answer)
            raise
        if lasting or fresh is not None:
            self._keep(key, generation, fresh)
        return fresh

    def _keep(self, key: _Key, generation: int, answer: object) -> None:
        with self._lock:
            self._held[key] = (generation, answer)
            self._held.move_to_end(key)
            for domain in _outside(answer):
                self._outside[domain] = None
                self._outside.move_to_end(domain)
            if key[0] == "domain" and answer is not None:
                self._outside.pop(key, None)
            for held in (self._held, self._outside):
                while len(held) > self._entries:
                    held.popitem(last=False)


def _outside(answer: object) -> Iterator[_Key]:
    """The domains of the mailboxes behind an answer, as they are asked for."""
    mailboxes: tuple[str, ...] = ()
    match answer:
        case Alias():
            mailboxes = answer.mailboxes
        case Domain(role_mailbox=str(address)):
            mailboxes = (address,)
        case (Automatic(), *_):
            mailboxes = tuple(address for rule in cast("tuple[Automatic, ...]", answer) for address in rule.mailboxes)
    return (("domain", parse_domain(address.rpartition("@")[2])) for address in mailboxes)


class _Ready(_Remembering):
    def __init__(self, cached: CachedDirectory) -> None:
        super().__init__(cached)
        self._held = cached.held

    def _answer(self, key: _Key, ask: Callable[[], _T], *, lasting: bool = True) -> _T:
        known, answer = self._held(key)
        if not known:
            raise NotCached("not in memory")
        return cast("_T", answer)
