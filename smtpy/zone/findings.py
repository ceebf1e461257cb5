"""What is to be said of a record: expected, found, and what to do. And what is to be said when resolvers disagree.

A resolver that could not answer knows nothing: that is `unknown`, which contradicts nobody. Two that answered and
disagree stand, as a rule, before and after a change: each may give the old answer until its time to live is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from smtpy.zone.records import Kind, Wanted


class Status(StrEnum):
    """The last two are what a domain suffers from, if the record is required."""

    OK = "ok"
    WARNING = "warning"  # it works, and could be better
    UNKNOWN = "unknown"  # DNS did not answer
    MISSING = "missing"
    WRONG = "wrong"


MOST_FOUND = 20  # records of one name that are told

BAD = (Status.MISSING, Status.WRONG)
GOOD = (Status.OK, Status.WARNING)

WAIT = (
    "Nothing, if it was changed lately: the old answer may be remembered for as long as its TTL says, a day as a rule. "
    "If it stays so for longer, the name servers of the domain differ: tell whoever runs them."
)
NO_ANSWER = (
    "Nothing now, it is asked again later. If it stays so, the name servers of the domain do not answer rightly, "
    "often because of DNSSEC: tell whoever runs them."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One record of one domain. `todo` is empty when there is nothing to do; both it and `found` are for people.

    `disputed`: of the resolvers that answered, some show that it works and some do not.
    """

    kind: Kind
    name: str
    status: Status
    required: bool
    expected: str
    found: tuple[str, ...] = ()
    todo: str = ""
    disputed: bool = False

    @property
    def bad(self) -> bool:
        """Whether something does not work until somebody acts."""
        return self.required and self.status in BAD

    @property
    def works(self) -> bool:
        """Whether every resolver that answered shows it so that receivers can use it, and at least one did."""
        return self.status in GOOD and not self.disputed


def finding(wanted: Sequence[Wanted], status: Status, found: Sequence[str] = (), todo: str = "") -> Finding:
    """What was found of the records that are wanted of one kind at one name; at least one."""
    first, expected = wanted[0], ", ".join(f"{each.type} {each.value}" for each in wanted)
    told = (*map(plain, found[:MOST_FOUND]), *(("…",) if len(found) > MOST_FOUND else ()))
    return Finding(first.kind, first.name, status, first.required, expected, told, plain(todo))


def plain(text: str) -> str:
    """Strangers' words on one line that moves no cursor, and that a database takes."""
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def agree(views: Sequence[tuple[str, Finding]]) -> Finding:
    """One finding out of what each resolver (by its name) shows of the same record; at least one."""
    answered = [(label, each) for label, each in views if each.status is not Status.UNKNOWN]
    silent = [label for label, each in views if each.status is Status.UNKNOWN]
    if not answered:
        return views[0][1]
    worst = max((each for _, each in answered), key=lambda each: list(Status).index(each.status))
    if len({each.status in GOOD for _, each in answered}) > 1:
        todo = f"Not everywhere yet. {WAIT}"
        return replace(worst, status=Status.WARNING, found=_told(answered), todo=todo, disputed=True)
    if silent and worst.status is Status.OK:
        found = (*worst.found, f"but no answer from {', '.join(silent)}")
        return replace(worst, status=Status.WARNING, found=found, todo=NO_ANSWER)
    return worst


def _told(views: Sequence[tuple[str, Finding]]) -> tuple[str, ...]:
    return tuple(f"{label}: {', '.join(each.found) or 'nothing'}" for label, each in views)
