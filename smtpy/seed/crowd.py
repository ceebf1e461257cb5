"""Aliases in any number: their rows, mailboxes, tags and audit rows, as the administrative door would leave them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from smtpy.directory.entries import Mode, WhenOff
from smtpy.seed.bulk import Row
from smtpy.seed.cast import ADMIN, AGE, OWNER, Holder
from smtpy.seed.words import COMPANIES, WORDS
from smtpy.store.schema import Alias, AliasMailbox, AliasTag, Audit

OFTEN = 24  # of so many aliases one is pinned; others are off, expired or in the trash as often


@dataclass(frozen=True, slots=True)
class Made:
    """An alias that mail may come to. `slug` is who it was given to; None: nobody ever wrote."""

    id: int
    owner_id: int
    address: str
    domain: str
    mailbox: str
    slug: str
    on: bool


def uuid(random: Random, at: datetime) -> str:
    """One that comes again with the same number; in the order of time, which an index takes much faster."""
    return str(UUID(int=int(at.timestamp() * 1000) << 80 | random.getrandbits(80), version=4))


def names(random: Random, count: int) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Local parts and the company each is for; first the companies' own names, then numbered ones."""
    for number in range(count):
        company = COMPANIES[number % len(COMPANIES)]
        if number < len(COMPANIES):
            yield company[0], company
        else:
            yield f"{random.choice(WORDS)}.{company[0]}{number}", company


def shared(holders: Sequence[Holder], count: int) -> list[int]:
    """How many aliases each has: the first nearly all."""
    others = [3 + (7 * number) % 11 for number in range(1, len(holders))]
    return [count, *others]


def aliases(random: Random, holders: Sequence[Holder], count: int, first: int, end: datetime) -> Iterator[Any]:
    """`Made` for each alias, after its rows as (model, row); ids from `first` on."""
    number = first
    for holder, many in zip(holders, shared(holders, count), strict=True):
        for position, (local, company) in enumerate(names(random, many)):
            yield from _alias(random, holder, (number, position, local), company, end)
            number += 1


def _alias(
    random: Random, holder: Holder, who: tuple[int, int, str], company: tuple[str, str, str], end: datetime
) -> Iterator[Any]:
    number, position, local = who
    slug, title, tag = company
    domain_id, domain = holder.domains[0] if position % 3 else random.choice(holder.domains)
    boxes = [random.choice(holder.mailboxes)] if position % 17 else list(holder.mailboxes)
    born = end - timedelta(seconds=random.randrange(3600, int(AGE.total_seconds()) - 86400 * 21))
    fate = position % OFTEN
    row: Row = {
        "id": number,
        "uuid": uuid(random, born),
        "domain_id": domain_id,
        "owner_id": holder.user_id,
        "local": local,
        "enabled": fate != 7,
        "when_off": WhenOff.REJECT,
        "mode": Mode.TRANSPARENT,
        "expires_at": _expiry(fate, end),
        "note": title if position % 5 else f"{title}; asked for at the counter, {born:%B %Y}",
        "pinned": fate == 3 and position < 10 * OFTEN,
        "last_at": None,
        "created_at": born,
        "updated_at": born,
        "deleted_at": end - timedelta(days=position % 25) if fate == 13 else None,
    }
    yield Alias, row
    for place, (mailbox_id, _) in enumerate(boxes):
        yield AliasMailbox, {"alias_id": number, "mailbox_id": mailbox_id, "position": place}
    if position % 4:
        yield AliasTag, {"alias_id": number, "tag_id": holder.tags[tag]}
    address = f"{local}@{domain}"
    after = {"address": address, "mailboxes": [box for _, box in boxes], "enabled": True, "note": row["note"]}
    yield Audit, _audit(born, "alias.add", address, None, after, position)
    if fate == 7:
        off = born + (end - born) / 2
        yield Audit, _audit(off, "alias.off", address, {"enabled": True}, {"enabled": False}, position)
    living = row["deleted_at"] is None
    yield Made(number, holder.user_id, address, domain, boxes[0][1], slug if living else "", fate not in (7, 17))


def _expiry(fate: int, end: datetime) -> datetime | None:
    if fate == 17:
        return end - timedelta(days=12)
    return end + timedelta(days=45) if fate == 19 else None


def _audit(at: datetime, act: str, address: str, before: Row | None, after: Row | None, position: int) -> Row:
    actor = f"web:{OWNER}" if position % 9 else f"cli:{ADMIN.partition('@')[0]}"
    client = "198.51.100.0" if actor.startswith("web:") else None
    subject = f"alias {address}"
    return {
        "at": at,
        "actor": actor,
        "client": client,
        "act": act,
        "subject": subject,
        "before": before,
        "after": after,
    }
