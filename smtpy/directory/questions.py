"""The questions the mail path may ask, and the one way an answer can be missing.

Implementations stand in `store`; tests write their own. Every question is one indexed look-up. An implementation that
does not know raises Unavailable; it never answers None for "I could not find out" (promise 2: "I don't know" is never
"no").
"""

from typing import Protocol

from smtpy.directory.entries import Alias, Automatic, Domain, SigningKey


class Unavailable(Exception):
    """The directory cannot tell now. Ask again later: a 4xx on every wire."""


class Directory(Protocol):
    """What the mail path knows of the world."""

    def domain(self, name: str) -> Domain | None:
        """The domain of that name (A-labels, lower case), switched on or off; None: not ours, or not yet."""

    def awaits(self, name: str) -> bool:
        """Whether a member wants the mail of that domain here, and its DNS has not said so yet: not ours, so far."""

    def alias(self, domain: Domain, local: str) -> Alias | None:
        """The alias of that folded local part, switched off, expired or in the trash included; None: not declared."""

    def automatic(self, domain: Domain) -> tuple[Automatic, ...]:
        """The domain's automatic aliases in the order to try them, catch-all last."""

    def sender(self, token: str) -> str | None:
        """The reverse-path a stored return token stands for; None: unknown or expired."""

    def signing_keys(self, domain: Domain) -> tuple[SigningKey, ...]:
        """The keys that sign for that domain now, one of each algorithm at the most; (): none has been seen in DNS."""
