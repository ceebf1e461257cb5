"""Pairs of signing keys: how they are made and named, and how a key is shown.

RSA is what every verifier knows; Ed25519 (RFC 8463) stands beside it, for the day when RSA must go. The selector has
the day and a number: `r20261123-1` and `e20261123-1`. A number is not used again while a later one is there, since
resolvers may still remember the record that stood at that name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from smtpy.admin.change import Change
from smtpy.signing import key as signing
from smtpy.store.schema import Algorithm, Domain, SigningKey

KINDS: dict[Algorithm, tuple[signing.Algorithm, str]] = {  # and the first letter of the selector
    Algorithm.RSA: ("rsa-sha256", "r"),
    Algorithm.ED25519: ("ed25519-sha256", "e"),
}

State = Literal["waiting", "used", "retired"]


@dataclass(frozen=True, slots=True)
class KeyView:
    """A signing key as people see one; `record` is the TXT record at <selector>._domainkey.<domain>."""

    id: int
    uuid: str
    domain: str
    selector: str
    algorithm: str
    state: State
    record: str
    created_at: datetime
    seen_at: datetime | None
    used_from: datetime | None
    retired_at: datetime | None

    @property
    def subject(self) -> str:
        """Its name in the audit trail."""
        return f"key {self.selector} of {self.domain}"

    @property
    def unneeded(self) -> bool:
        """Whether nothing was ever signed with it, nor will be: nobody needs its record."""
        return self.state == "retired" and self.used_from is None

    @property
    def name(self) -> str:
        """The name of its record."""
        return f"{self.selector}._domainkey.{self.domain}"


def view(row: SigningKey, domain: str) -> KeyView:
    """What is shown of a key."""
    return KeyView(
        *(row.id, row.uuid, domain, row.selector, row.algorithm.value, _state(row)),
        signing.record_of(KINDS[row.algorithm][0], row.public),
        *(row.created_at, row.seen_at, row.used_from, row.retired_at),
    )


def _state(row: SigningKey) -> State:
    if row.retired_at is not None:
        return "retired"
    return "waiting" if row.used_from is None else "used"


def make(c: Change, domain: Domain) -> tuple[KeyView, ...]:
    """A new pair that waits to be published."""
    if c.vault is None:
        raise RuntimeError("a change that makes keys is opened with a vault")
    number = _number(c.session, domain, c.now)
    made = []
    for algorithm, (name, letter) in KINDS.items():
        private = signing.generate(name)
        row = SigningKey(domain_id=domain.id, selector=f"{letter}{c.now:%Y%m%d}-{number}", algorithm=algorithm)
        row.private, row.public, row.created_at = c.vault.seal(private), signing.public_of(private), c.now
        c.session.add(row)
        made.append(row)
    c.session.flush()
    views = tuple(view(row, domain.name) for row in made)
    return tuple(c.record("key.add", each.subject, None, each) for each in views)


def _number(session: Session, domain: Domain, now: datetime) -> int:
    """The next number of the day."""
    today = (SigningKey.domain_id == domain.id, SigningKey.selector.contains(f"{now:%Y%m%d}-"))
    taken = session.scalars(select(SigningKey.selector).where(*today))
    return 1 + max((int(each.rpartition("-")[2]) for each in taken), default=0)


def selectors(keys: Sequence[KeyView]) -> str:
    """As they are named in a sentence."""
    return " and ".join(each.selector for each in keys)


def since(keys: Sequence[KeyView]) -> str:
    """What is said of keys that nobody has published, or not rightly."""
    day = f"{min(each.created_at for each in keys):%Y-%m-%d %H:%M}"
    return f"waits to be seen in DNS since {day}" if len(keys) == 1 else f"wait to be seen in DNS since {day}"
