"""The people, domains and aliases that the mail path's tests write to, and what one may know of them afterwards.

Every mailbox is at home.example, so that one search finds a mailbox that shows where it must not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import Any

from smtpy.admin import aliases, automatics, domains, mailboxes, members
from smtpy.admin.change import Change, change
from smtpy.admin.scope import Viewer
from smtpy.config import Settings, load
from smtpy.directory.entries import WhenOff
from smtpy.srs import Srs
from smtpy.store.engine import open_engine
from smtpy.terms import srs_of
from tests.inbox import Delivery
from tests.stand import Stand

OWNER = "mayor@people.example"
PAUPER = "pauper@people.example"  # has a domain and no mailbox
SECRET = "home.example"  # what no sender may ever read
PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2120, 1, 1, tzinfo=UTC)
ISLES = tuple(f"isle{number}.example" for number in range(1, 6))

MAILBOXES = ("ward", "ann", "ben", "cat", *(f"box{number}" for number in range(50)))
DOMAINS: dict[str, dict[str, Any]] = {
    "north.example": {},
    "south.example": {},
    "small.example": {"max_message_bytes": 2000},
    "dark.example": {},
    "rude.example": {"when_off": WhenOff.DEFER},
    "dash.example": {"extension_separator": "-"},
    "plain.example": {"extension_separator": None},
    "poor.example": {"owner": PAUPER},
    "xn--bcher-kva.example": {},
    **{name: {} for name in ISLES},
}
# address: (mailboxes, choices)
ALIASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sales@north.example": ("ann", {}),
    "team@north.example": ("ann ben", {}),
    '"two words"@north.example': ("ann", {}),
    "jörg@north.example": ("ann", {}),
    "tag+kept@north.example": ("cat", {}),
    "closed@north.example": ("ann", {}),
    "resting@north.example": ("ann", {"when_off": WhenOff.DEFER}),
    "quiet@north.example": ("ann", {"when_off": WhenOff.DROP}),
    "expired@north.example": ("ann", {"expires_at": PAST}),
    "fresh@north.example": ("ann", {"expires_at": FUTURE}),
    "trashed@north.example": ("ann", {}),
    "shop-9@north.example": ("cat", {}),
    "abuse@south.example": ("cat", {}),
    "sales@south.example": ("ben", {}),
    "closed@south.example": ("ben", {}),
    "trashed@south.example": ("ben", {}),
    "little@small.example": ("ann", {}),
    "sales@dark.example": ("ann", {}),
    "sales@rude.example": ("ann", {}),
    "sales@dash.example": ("ben", {}),
    "sales@plain.example": ("ben", {}),
    "postmaster@dash.example": ("ben", {}),
    "abuse@dash.example": ("ben", {}),
    "sales@bücher.example": ("cat", {}),
    **{f"a{number}@{ISLES[number % 5]}": (f"box{number}", {}) for number in range(50)},
}
OFF = (
    *("closed@north.example", "resting@north.example", "quiet@north.example", "closed@south.example"),
    "postmaster@dash.example",
)
TRASHED = ("trashed@north.example", "trashed@south.example", "abuse@dash.example")
RULES = (("north.example", "shop-[0-9]+", "ben"), ("north.example", "(x+x+)+y", "ben"), ("dark.example", "r.*", "ben"))
CATCH_ALLS = (("south.example", "cat"), ("rude.example", "cat"))
SOON = "soon.example"  # announced by its member, not proven yet
DARK = ("dark.example", "rude.example")


def at_home(names: str) -> tuple[str, ...]:
    """The mailboxes of these names."""
    return tuple(f"{name}@{SECRET}" for name in names.split())


def found(stand: Stand) -> None:
    """Make all of the above, through the one door."""
    engine = open_engine(load(stand.config, stand.environ).database_url)
    try:
        with change(engine, by="test:mailpath") as c:
            _people_and_domains(c)
            _aliases(c)
            mayor = Viewer(members.find(c.session, OWNER).id)
        with change(engine, by="test:mailpath", viewer=mayor) as c:
            domains.add(c, SOON, owner=OWNER)
            aliases.add(c, f"sales@{SOON}", to=at_home("ann"))
    finally:
        engine.dispose()


def _people_and_domains(c: Change) -> None:
    for person in (OWNER, PAUPER):
        members.add(c, person)
    for mailbox in at_home(" ".join(MAILBOXES)):
        mailboxes.add(c, mailbox, owner=OWNER, verified=True)
    for name, how in DOMAINS.items():
        domains.add(c, name, **{"owner": OWNER, **how})


def _aliases(c: Change) -> None:
    for address, (to, choices) in ALIASES.items():
        aliases.add(c, address, to=at_home(to), **choices)
    for domain, pattern, to in RULES:
        automatics.add(c, domain, pattern, to=at_home(to))
    for domain, to in CATCH_ALLS:
        automatics.catch_all(c, domain, to=at_home(to))
    for act, names in ((aliases.off, OFF), (aliases.delete, TRASHED), (domains.off, DARK)):
        for each in names:
            act(c, each)


@dataclass
class Town:
    """The stand with its people, and marks by which a test knows its own messages again."""

    stand: Stand

    def __post_init__(self) -> None:
        self._marks = count(1)

    @cached_property
    def settings(self) -> Settings:
        return load(self.stand.config, self.stand.environ)

    @property
    def srs(self) -> Srs:
        """The stand's own return addresses."""
        return srs_of(self.settings)

    def today(self) -> int:
        """Days since 1970-01-01 UTC, as return addresses are stamped with."""
        return (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days

    def mark(self) -> str:
        """A word that is in no other message."""
        return f"mark{next(self._marks)}-{id(self)}"

    def marked(self, mark: str) -> list[Delivery]:
        """Every delivery with that mark so far."""
        return [each for each in list(self.stand.inbox.deliveries) if mark.encode() in each.data]

    def arrivals(self, mark: str, number: int) -> list[Delivery]:
        """The deliveries with that mark, when so many copies are there and Postfix has nothing left to do."""

        def there(_all: Sequence[Delivery]) -> bool:
            return sum(len(each.recipients) for each in self.marked(mark)) >= number

        if number:
            self.stand.inbox.wait_until(there)
        self.stand.wait_empty()
        return self.marked(mark)


def copies(deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
    """Recipient and reverse-path of each copy, sorted."""
    return sorted((recipient, each.reverse_path) for each in deliveries for recipient in each.recipients)


def assert_nothing_shows(deliveries: Sequence[Delivery]) -> None:
    """No header of any of these copies names a mailbox."""
    assert not [each.header for each in deliveries if SECRET.encode() in each.header]
