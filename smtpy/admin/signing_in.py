"""Signing in: who may come, by what, and that they came.

An account that does not exist, one that is off or in the trash, and a wrong password are one answer and take one time.
A failed try is kept for the account's owner to see; how many are taken at all is for the edge to say (web/limits.py).
"""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.orm import Session

from smtpy.admin import passwords
from smtpy.admin.change import Change, reading
from smtpy.admin.refusals import NotFound
from smtpy.admin.sessions import Member, member_of
from smtpy.mail.address import BadAddress, parse
from smtpy.store.accounts import Attempt
from smtpy.store.schema import Audit, User

DEVICES = 100  # sign-ins looked back upon for a device that is known
REMEMBERED = timedelta(days=30)  # for which failed tries are kept
TRIES = 5  # at one challenge for a second factor
ACT = "user.sign-in"


def by_password(engine: Engine, email: str, password: str) -> Member | None:
    """Whom the password lets in as far as it goes (`Member.has_totp`); None for every reason alike."""
    with reading(engine) as session:
        user = _by_email(session, email)
    kept = user.password if user and _may_come(user) else None
    return member_of(user) if passwords.fits(kept, password) and user else None


def failed_for(engine: Engine, email: str, *, client: str, now: datetime) -> None:
    """Keep that the password of that account was wrong, if there is one. It takes a time that must not be seen."""
    with reading(engine) as session:
        user = _by_email(session, email)
    if user is not None:
        failed(engine, user.id, "password", client=client, now=now)


def again_by_password(engine: Engine, user_id: int, password: str, *, client: str, now: datetime) -> bool:
    """Whether somebody who is signed in knows their password still."""
    with reading(engine) as session:
        kept = session.scalar(select(User.password).where(User.id == user_id))
    if passwords.fits(kept, password):
        return True
    failed(engine, user_id, "password", client=client, now=now)
    return False


def by_uuid(engine: Engine, uuid: str, since: datetime) -> Member | None:
    """Somebody whom their password let in half, then; if they still may come, and it is their password still."""
    with reading(engine) as session:
        user = session.scalar(select(User).where(User.uuid == uuid))
        if user is None or not _may_come(user):
            return None
        changed = (Audit.act == "user.password", Audit.subject == f"user {user.email}", Audit.at >= since)
        return None if session.scalar(select(Audit.id).where(*changed).limit(1)) else member_of(user)


def _by_email(session: Session, email: str) -> User | None:
    try:
        key = parse(email.strip()).key
    except BadAddress:
        return None
    return session.scalar(select(User).where(User.key == key))


def _may_come(user: User) -> bool:
    return user.enabled and user.deleted_at is None


def failed(engine: Engine, user_id: int, what: str, *, client: str, now: datetime) -> None:
    """Keep that a try has failed. No administrative act: nobody who may act was there."""
    with engine.begin() as connection:
        connection.execute(insert(Attempt).values(user_id=user_id, at=now, client=client, what=what))


def may_try(engine: Engine, user_id: int, what: str, since: datetime, *, client: str, now: datetime) -> int | None:
    """Take one of TRIES since then, before it is known how it ends; None: there are none left.

    Kept first and counted after, so that tries at the same moment are counted, too. `forgive` gives it back.
    """
    with engine.begin() as connection:
        made = insert(Attempt).values(user_id=user_id, at=now, client=client, what=what).returning(Attempt.id)
        number = connection.execute(made).scalar_one()
    with reading(engine) as session:
        return int(number) if failures(session, user_id, since, what) <= TRIES else None


def forgive(engine: Engine, number: int) -> None:
    """That try did not fail."""
    with engine.begin() as connection:
        connection.execute(delete(Attempt).where(Attempt.id == number))


def failures(session: Session, user_id: int, since: datetime, what: str | None = None) -> int:
    """How many tries have failed since then."""
    chosen = select(func.count()).select_from(Attempt).where(Attempt.user_id == user_id, Attempt.at >= since)
    return session.scalar(chosen.where(Attempt.what == what) if what else chosen) or 0


def forget_failures(engine: Engine, before: datetime) -> int:
    """Take away the failed tries of long ago; how many."""
    with engine.begin() as connection:
        gone = connection.execute(delete(Attempt).where(Attempt.at < before).returning(Attempt.id))
        return len(gone.all())


def came(c: Change, member: Member, *, how: str, device: str) -> bool:
    """Note that they came in; whether from a device they had not come from before (`device` and the network)."""
    user = c.session.scalar(select(User).where(User.id == member.id))
    if user is None:
        raise NotFound("user", "There is no such user.")
    earlier = select(Audit.client, Audit.after).where(Audit.actor == c.actor, Audit.act == ACT)
    rows = c.session.execute(earlier.order_by(Audit.id.desc()).limit(DEVICES)).all()
    known = any(client == c.client and (after or {}).get("device") == device for client, after in rows)
    user.signed_in_at = c.now
    c.note(ACT, f"user {user.email}", None, {"how": how, "device": device})
    return bool(rows) and not known


def keep_up(c: Change, member: Member, password: str) -> None:
    """Hash a password anew that was hashed at lower costs; it fitted a moment ago."""
    user = c.session.scalar(select(User).where(User.id == member.id))
    if user and user.password and passwords.is_dated(user.password):
        user.password = passwords.hashed(password)
        c.note("user.rehash", f"user {user.email}", None, None)


def set_password(c: Change, user_id: int, text: str, *, words: tuple[str, ...] = ()) -> User:
    """Another password. Ending sessions is for who calls this. Raises Invalid, NotFound."""
    user = c.session.scalar(select(User).where(User.id == user_id))
    if user is None:
        raise NotFound("user", "There is no such user.")
    passwords.judged(text, (user.email, user.name, *words))
    user.password = passwords.hashed(text)
    c.note("user.password", f"user {user.email}", None, None)
    return user
