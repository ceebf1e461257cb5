"""The directory read from a standby of PostgreSQL on this host or near it, and from the primary where that is needed.

So the mail path asks a database next to it, and goes on while the primary is away: for every address there is, not only
for those that memory holds. Nothing else reads from the standby. Pages and commands show people what they have just
changed, and change more than they read; and while the primary is away nobody can sign in.

Whom to believe goes by the epoch (smtpy.store.epoch). A standby hears no NOTIFY, so the primary is watched as ever,
and tells within a second how far the epoch has risen; the standby is looked at several times a second. If it has come
as far, it has every change that this process knows of, and what it says holds, "no" included. If it lags, the primary
is asked.

While the primary is away, a standby that lags is believed where it knows something, as old answers of the cache are;
its "no" is "I do not know", for what it does not know may have been made since. That is so as well for a process that
has not heard from the primary since it began. A return token raises no epoch: where the standby has none the primary is
asked.

A standby that was promoted answers as before; for changes, `database_url` has to lead to it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from smtpy.directory.entries import Alias, Automatic, Domain, SigningKey
from smtpy.directory.questions import Unavailable
from smtpy.store.cache import NOTHING, Source, Unsure
from smtpy.store.epoch import EpochWatcher

T = TypeVar("T")


class WithStandby:
    """`questions.Directory` on two databases, each with a watcher that has been started."""

    def __init__(self, primary: Source, standby: Source, heard: EpochWatcher, come: EpochWatcher) -> None:
        self.engine = primary.engine  # for what is written
        self._primary, self._standby = primary, standby
        self._heard, self._come = heard, come

    def domain(self, name: str) -> Domain | None:
        return self._ask(lambda directory: directory.domain(name))

    def awaits(self, name: str) -> bool:
        return self._ask(lambda directory: directory.awaits(name))

    def alias(self, domain: Domain, local: str) -> Alias | None:
        return self._ask(lambda directory: directory.alias(domain, local))

    def automatic(self, domain: Domain) -> tuple[Automatic, ...]:
        return self._ask(lambda directory: directory.automatic(domain))

    def sender(self, token: str) -> str | None:
        return self._ask(lambda directory: directory.sender(token), tells_no=False)

    def signing_keys(self, domain: Domain) -> tuple[SigningKey, ...]:
        return self._ask(lambda directory: directory.signing_keys(domain))

    def close(self) -> None:
        """Let go of both databases."""
        self._come.stop()
        self._primary.close()
        self._standby.close()

    def _ask(self, question: Callable[[Source], T], *, tells_no: bool = True) -> T:
        """`tells_no`: whether what is asked about raises the epoch, so that a standby that has come as far knows."""
        if self._has_come_as_far():
            with suppress(Unavailable):  # it went a moment ago, or gave up the question for what it replays
                answer = question(self._standby)
                if tells_no or answer not in NOTHING:
                    return answer
        if self._heard.alive or self._heard.value is None:
            with suppress(Unavailable):
                return question(self._primary)
        if not self._come.alive:
            raise Unavailable("neither the primary nor the standby answers")
        answer = question(self._standby)
        if answer in NOTHING:
            raise Unsure("the primary does not answer, and the standby may not know yet")
        return answer

    def _has_come_as_far(self) -> bool:
        heard, come = self._heard.value, self._come.value
        return self._come.alive and heard is not None and come is not None and come >= heard
