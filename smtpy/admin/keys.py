"""Signing keys of domains, which come and go in pairs (smtpy.admin.pairs).

A new pair waits until our own check has seen both its records in DNS, for a signature without a record is worse than
none. Then it is used and the keys before it are retired; these stay published while mail that they signed is on its
way, and are deleted later. A key that the vault cannot open signs nothing, whatever DNS shows.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.orm import Session

from smtpy.admin import domains, pairs
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE
from smtpy.admin.pairs import KeyView, view
from smtpy.admin.refusals import InUse, Invalid, NotFound
from smtpy.admin.sealed import opens
from smtpy.store.schema import Algorithm, Domain, SigningKey
from smtpy.vault import Vault

_WAITING = and_(SigningKey.used_from.is_(None), SigningKey.retired_at.is_(None))
_USED = and_(SigningKey.used_from.is_not(None), SigningKey.retired_at.is_(None))

_COLUMNS = select(SigningKey, Domain.name).join(Domain, Domain.id == SigningKey.domain_id)


def rotate(c: Change, domain: str) -> tuple[KeyView, ...]:
    """A new pair, to be published; what waits and cannot be opened makes room. Raises NotFound, InTrash, InUse."""
    owner = domains.DOMAINS.living(c.session, domain)
    for row in _rows(c, owner, _WAITING):
        if opens(c.vault, row.private):
            raise InUse("domain", f"Key {row.selector} of {owner.name} waits to be seen in DNS. Publish it first.")
        _move(c, "key.retire", row, owner, retired_at=c.now)
    return pairs.make(c, owner)


def seen(c: Change, domain: str, selectors: Collection[str]) -> tuple[KeyView, ...]:
    """Note which of the keys that wait are in DNS; once all are, they are used. Returns those that came into use.

    Raises NotFound, InTrash.
    """
    owner = domains.DOMAINS.living(c.session, domain)
    waiting = _rows(c, owner, _WAITING)
    for row in waiting:
        _move(c, "key.seen", row, owner, seen_at=(row.seen_at or c.now) if row.selector in selectors else None)
    if all(row.seen_at and opens(c.vault, row.private) for row in waiting):
        return _use(c, owner, waiting)
    return ()


def use(c: Change, domain: str) -> tuple[KeyView, ...]:
    """Sign with the pair that waits, whether DNS shows it or not. Raises NotFound, InTrash, Invalid."""
    owner = domains.DOMAINS.living(c.session, domain)
    waiting = _rows(c, owner, _WAITING)
    if not waiting:
        raise NotFound("domain", f"No key of {owner.name} waits to be used. Make new ones first.")
    for row in waiting:
        if not opens(c.vault, row.private):
            raise Invalid("key", f"Key {row.selector} of {owner.name} cannot be opened. Make new ones.")
    return _use(c, owner, waiting)


def _use(c: Change, owner: Domain, waiting: Sequence[SigningKey]) -> tuple[KeyView, ...]:
    """These and no others."""
    if waiting:
        for row in _rows(c, owner, _USED):
            _move(c, "key.retire", row, owner, retired_at=c.now)
    return tuple(_move(c, "key.use", row, owner, used_from=c.now) for row in waiting)


def retire(c: Change, domain: str, selector: str) -> KeyView:
    """Sign with a key no more; it stays published if it ever signed. Idempotent.

    Raises NotFound; InUse when none would sign without it, or Ed25519 alone: few receivers check that, and mail is
    sealed (ARC) with RSA only.
    """
    row, owner = _find(c, domain, selector)
    if row.retired_at is None:
        _spare(c, row, owner)
    return _move(c, "key.retire", row, owner, retired_at=row.retired_at or c.now)


def _spare(c: Change, row: SigningKey, owner: Domain) -> None:
    """Raises InUse when the key cannot be done without among those that sign, or among those that wait to."""
    used = row.used_from is not None
    others = [each for each in _rows(c, owner, _USED if used else _WAITING) if each is not row]
    if used and not others:
        raise InUse("key", f"{row.selector} is the only key that signs for {owner.name}. Use another one first.")
    if not others or any(each.algorithm is Algorithm.RSA for each in others):
        return
    if used:
        words = f"{row.selector} is the only RSA key that signs for {owner.name}, and mail is sealed (ARC) with RSA"
        raise InUse("key", f"{words}. Use another one first.")
    raise InUse("key", f"{row.selector} is the RSA key of the pair that waits. Retire {others[0].selector} before it.")


def delete(c: Change, domain: str, selector: str) -> KeyView:
    """Take a retired key away for good; its record is not needed any more. Raises NotFound, InUse."""
    row, owner = _find(c, domain, selector)
    if row.retired_at is None:
        raise InUse("key", f"Key {row.selector} of {owner.name} is not retired. Retire it first.")
    return _remove(c, row, owner.name)


def purge(c: Change, before: datetime) -> tuple[KeyView, ...]:
    """Take away the keys that were retired before that time. Returns them."""
    gone = c.session.execute(_COLUMNS.where(SigningKey.retired_at < before).order_by(SigningKey.id)).all()
    return tuple(_remove(c, row, domain) for row, domain in gone)


def of_domain(session: Session, domain: str) -> tuple[KeyView, ...]:
    """All keys of a domain, the newest first; all but the `unneeded` are to be published. Raises NotFound."""
    owner = domains.find(session, domain)
    rows = session.scalars(select(SigningKey).where(SigningKey.domain_id == owner.id).order_by(SigningKey.id.desc()))
    return tuple(view(row, owner.name) for row in rows)


def selector_of(session: Session, domain: str, uuid: str) -> str:
    """The selector of a key of that domain, by its UUID. Raises NotFound."""
    owner = domains.find(session, domain)
    own = (SigningKey.domain_id == owner.id, SigningKey.uuid == uuid)
    selector = session.scalar(select(SigningKey.selector).where(*own))
    if selector is None:
        raise NotFound("key", f"{owner.name} has no such key. It may have been deleted.")
    return selector


def page(session: Session, *, after: int = 0, limit: int = PAGE) -> tuple[KeyView, ...]:
    """Keys of all domains with an id above `after`, by id."""
    chosen = _COLUMNS.where(SigningKey.id > after).order_by(SigningKey.id).limit(limit)
    return tuple(view(*row) for row in session.execute(chosen))


def overdue(session: Session, before: datetime | None) -> tuple[str, ...]:
    """The domains that should get a new pair: they have no key, or none that waits or is used since that time."""
    fresh = true() if before is None else or_(SigningKey.used_from.is_(None), SigningKey.used_from >= before)
    fine = select(SigningKey.id).where(SigningKey.domain_id == Domain.id, SigningKey.retired_at.is_(None), fresh)
    chosen = select(Domain.name).where(Domain.deleted_at.is_(None), ~fine.exists()).order_by(Domain.id)
    return tuple(session.scalars(chosen))


def unsigned(session: Session) -> tuple[str, ...]:
    """The domains whose mail leaves without a signature, since none of their keys is used yet."""
    used = select(SigningKey.id).where(SigningKey.domain_id == Domain.id, _USED)
    ours = (Domain.deleted_at.is_(None), Domain.proven_at.is_not(None))
    chosen = select(Domain.name).where(*ours, ~used.exists()).order_by(Domain.id)
    return tuple(session.scalars(chosen))


def lingering(session: Session, before: datetime, domain: str | None = None) -> tuple[KeyView, ...]:
    """The keys made before that time that still wait to be seen in DNS: those of a domain (its A-labels), or all."""
    chosen = _COLUMNS.where(_WAITING, SigningKey.created_at < before, Domain.deleted_at.is_(None))
    if domain is not None:
        chosen = chosen.where(Domain.name == domain)
    return tuple(view(*row) for row in session.execute(chosen.order_by(SigningKey.id)))


def unopened(session: Session, vault: Vault, among: Collection[int] | None = None) -> tuple[KeyView, ...]:
    """The keys, not retired yet, that the vault cannot open: mail that they should sign goes out without.

    `among` these ids; None: all.
    """
    chosen: Select[SigningKey, str] = _COLUMNS.where(SigningKey.retired_at.is_(None)).order_by(SigningKey.id)
    if among is not None:
        chosen = chosen.where(SigningKey.id.in_(among))
    return tuple(view(row, domain) for row, domain in session.execute(chosen) if not opens(vault, row.private))


def _rows(c: Change, owner: Domain, state: ColumnElement[bool]) -> list[SigningKey]:
    chosen = select(SigningKey).where(SigningKey.domain_id == owner.id, state).order_by(SigningKey.id)
    return list(c.session.scalars(chosen))


def _find(c: Change, domain: str, selector: str) -> tuple[SigningKey, Domain]:
    owner = domains.find(c.session, domain)
    same = (SigningKey.domain_id == owner.id, SigningKey.selector == selector.lower())
    row = c.session.scalar(select(SigningKey).where(*same))
    if row is None:
        raise NotFound("key", f"{owner.name} has no key {selector}. `smtpy key list {owner.name}` has them.")
    return row, owner


def _move(c: Change, act: str, row: SigningKey, owner: Domain, **values: datetime | None) -> KeyView:
    before = view(row, owner.name)
    for name, value in values.items():
        setattr(row, name, value)
    c.session.flush()
    after = view(row, owner.name)
    return c.record(act, after.subject, before, after)


def _remove(c: Change, row: SigningKey, domain: str) -> KeyView:
    gone = view(row, domain)
    c.session.delete(row)
    c.session.flush()
    c.removed("key.delete", gone.subject, gone)
    return gone
