"""API keys: what programs sign in with. Shown once; only their SHA-256 is kept.

A key is `smtpy`, 40 letters and digits, and 6 more that are the CRC-32 of all before: 238 random bits, which scanners
for leaked secrets know by their shape, and of which a typing error is found without asking the database. Letters and
digits only, since clients that speak other services' protocols take nothing else.
"""

import secrets
import string
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Engine, func, or_, select, update
from sqlalchemy.orm import Session

from smtpy.admin import read
from smtpy.admin.change import Change, reading
from smtpy.admin.refusals import Invalid, NotFound
from smtpy.admin.scope import owned
from smtpy.admin.sessions import Member, digest, member_of
from smtpy.store.accounts import MAX_CODE_NAME, ApiKey
from smtpy.store.schema import User

PREFIX = "smtpy"
RANDOM, SUM = 40, 6  # characters
LENGTH = len(PREFIX) + RANDOM + SUM
MOST = 50  # living keys of one user
TOUCH = timedelta(minutes=1)  # between two notes that a key was used
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Scope(StrEnum):
    """What a key may do; to write includes to read."""

    ALIASES_READ = "aliases:read"
    ALIASES_WRITE = "aliases:write"
    DOMAINS_READ = "domains:read"
    DOMAINS_WRITE = "domains:write"
    MAILBOXES_READ = "mailboxes:read"
    MAILBOXES_WRITE = "mailboxes:write"
    MESSAGES_READ = "messages:read"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key in its owner's list. `tail`: its last characters."""

    uuid: str
    name: str
    tail: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a key stands for, and what it may do."""

    member: Member
    scopes: frozenset[str]
    uuid: str

    def may(self, scope: Scope) -> bool:
        """Whether the key is good for that."""
        return scope in self.scopes or scope.replace(":read", ":write") in self.scopes


def new_key() -> str:
    """A key; nobody has it yet."""
    body = PREFIX + "".join(secrets.choice(_DIGITS) for _ in range(RANDOM))
    return body + _sum(body)


def is_key(text: str) -> bool:
    """Whether it can be one, by its shape and its sum alone."""
    return len(text) == LENGTH and text.startswith(PREFIX) and text.isascii() and _sum(text[:-SUM]) == text[-SUM:]


def _sum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(SUM):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def add(
    c: Change, user_id: int, *, name: str, scopes: Iterable[str], expires_at: datetime | None
) -> tuple[KeyView, str]:
    """A new key, and the key itself, which is told this once. Raises Invalid."""
    name, wanted = read.line("name", name.strip(), MAX_CODE_NAME), sorted(set(scopes))
    if not name:
        raise Invalid("name", "A key needs a name, by which you know later what it is for.")
    if not wanted or not set(wanted) <= set(Scope):
        raise Invalid("scopes", "Choose at least one thing that the key may do.")
    if len([each for each in of_member(c.session, user_id) if each.revoked_at is None]) >= MOST:
        raise Invalid("name", f"You can have {MOST} keys. Revoke one that nothing uses.")
    key = new_key()
    row = ApiKey(user_id=user_id, digest=digest(key), tail=key[-4:], name=name, scopes=wanted)
    row.created_at, row.expires_at = c.now, expires_at
    c.session.add(row)
    c.session.flush()
    return c.record("api_key.add", f"api key {row.uuid}", None, _view(row)), key


def revoke(c: Change, uuid: str) -> KeyView:
    """It opens nothing any more. Raises NotFound."""
    row = c.session.scalar(select(ApiKey).where(ApiKey.uuid == uuid, owned(c.session, ApiKey.user_id)))
    if row is None:
        raise NotFound("api_key", "There is no such API key. It may have been revoked.")
    before = _view(row)
    row.revoked_at = row.revoked_at or c.now
    return c.record("api_key.revoke", f"api key {uuid}", before, _view(row))


def of_member(session: Session, user_id: int) -> tuple[KeyView, ...]:
    """A user's, those in force first, then the newest."""
    chosen = select(ApiKey).where(ApiKey.user_id == user_id)
    return tuple(map(_view, session.scalars(chosen.order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc()))))


def verify(engine: Engine, key: str, now: datetime) -> Holder | None:
    """Whom a key stands for; None: it is none, was revoked, has expired, or its owner may not come in."""
    if not is_key(key):
        return None
    alive = (ApiKey.digest == digest(key), ApiKey.revoked_at.is_(None), User.enabled, User.deleted_at.is_(None))
    lasting = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    with reading(engine) as session:
        found = session.execute(
            select(ApiKey, User).join(User, User.id == ApiKey.user_id).where(*alive, lasting)
        ).first()
        if found is None:
            return None
        row, user = found
        if row.used_at is None or now - row.used_at >= TOUCH:
            session.execute(update(ApiKey).where(ApiKey.id == row.id).values(used_at=now))
        return Holder(member_of(user), frozenset(row.scopes), row.uuid)


def _view(row: ApiKey) -> KeyView:
    return KeyView(
        *(row.uuid, row.name, row.tail, tuple(row.scopes)),
        *(row.created_at, row.expires_at, row.used_at, row.revoked_at),
    )


def count(session: Session, user_id: int) -> int:
    """How many keys of a user are in force."""
    alive = (ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    return session.scalar(select(func.count()).select_from(ApiKey).where(*alive)) or 0
