"""The people of the town and what they have, by the acts that administrators and members have, each at its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select, update

from smtpy.admin import automatics, domains, keys, mailboxes, members, passwords
from smtpy.admin.change import Change
from smtpy.admin.sessions import digest
from smtpy.seed.words import COMPANIES, MEMBERS
from smtpy.store.accounts import Announcement, ApiKey, Attempt, OneTimeLink, Purpose
from smtpy.store.schema import Domain, Mailbox, Role, Tag, User

OWNER, ADMIN = "nora@people.example", "operator@people.example"
OWN_DOMAINS = ("paperboat.example", "nora.example", "kestrel.example", "harbour-street.example")
NEW_DOMAIN = "not-yet.example"  # whose owner has proven nothing
AGE = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with a place for aliases: ids of rows."""

    user_id: int
    domains: tuple[tuple[int, str], ...]
    mailboxes: tuple[tuple[int, str], ...]
    tags: dict[str, int]


def cast(c: Change, random: Random, password: str) -> tuple[Holder, ...]:
    """Everybody; the first one is who has most."""
    end, kept = c.now, passwords.hashed(password)
    c.now = end - AGE
    members.add(c, ADMIN, name="Operator", role=Role.ADMIN)
    members.add(c, OWNER, name="Nora Lindqvist")
    holders = [_nora(c)]
    for number, name in enumerate(MEMBERS):
        c.now = end - AGE + timedelta(days=20 * number + 5, minutes=random.randrange(1440))
        members.add(c, f"{name}@people.example", name=name.title())
        holders.append(_holder(c, f"{name}@people.example", [f"{name}.example"], [f"{name}@inbox.example"]))
    c.now = end - timedelta(days=9)
    members.off(c, f"{MEMBERS[-1]}@people.example")
    c.now = end
    everybody = (ADMIN, OWNER, *(f"{name}@people.example" for name in MEMBERS))
    known = {"password": kept, "verified_at": end - AGE, "welcome": "done"}
    c.session.execute(update(User).where(User.email.in_(everybody)).values(known))
    _accounts(c, end)
    return tuple(holders)


def _nora(c: Change) -> Holder:
    boxes = ["nora@inbox.example", "nora.lindqvist@work.example", "family@inbox.example"]
    holder = _holder(c, OWNER, [*OWN_DOMAINS, NEW_DOMAIN], boxes)
    mailboxes.add(c, "nora@new-provider.example", owner=OWNER, verified=False)
    automatics.add(c, OWN_DOMAINS[1], "(shop|news)-.*", to=boxes[:1])
    automatics.catch_all(c, OWN_DOMAINS[2], to=boxes[2:])
    new = (Domain.name == NEW_DOMAIN,)
    c.session.execute(update(Domain).where(*new).values(proven_at=None, enabled=False))
    return holder


def _holder(c: Change, email: str, names: list[str], addresses: list[str]) -> Holder:
    boxes = [mailboxes.add(c, address, owner=email, verified=True) for address in addresses]
    ours = [domains.add(c, name, owner=email) for name in names]
    for domain in ours:
        if domain.name != NEW_DOMAIN:
            keys.use(c, domain.name)
    user_id = members.find(c.session, email).id
    c.session.execute(update(Domain).where(Domain.owner_id == user_id).values(proven_at=c.now, created_at=c.now))
    c.session.execute(update(Mailbox).where(Mailbox.owner_id == user_id).values(created_at=c.now))
    c.session.execute(update(User).where(User.id == user_id).values(created_at=c.now))
    tags = [Tag(owner_id=user_id, name=name) for name in dict.fromkeys(tag for _, _, tag in COMPANIES)]
    c.session.add_all(tags)
    c.session.flush()
    return Holder(
        user_id,
        tuple((domain.id, domain.name) for domain in ours if domain.name != NEW_DOMAIN),
        tuple((box.id, box.address) for box in boxes),
        {tag.name: tag.id for tag in tags},
    )


def _accounts(c: Change, end: datetime) -> None:
    """What there is of signing in: keys of programs, tries that failed, an invitation; and what everybody is told."""
    nora = c.session.scalars(select(User.id).where(User.email == OWNER)).one()
    week = timedelta(days=7)
    for name, used in (("Bitwarden on the laptop", end - timedelta(hours=3)), ("Phone", end - 6 * week), ("Old", None)):
        row = ApiKey(
            user_id=nora, digest=digest(f"seed {name}"), tail=name[-4:].lower(), name=name, scopes=["aliases:write"]
        )
        row.created_at, row.used_at, row.revoked_at = end - 20 * week, used, None if used else end - week
        c.session.add(row)
    for days in (1, 1, 12):
        c.session.add(Attempt(user_id=nora, at=end - timedelta(days=days), client="198.51.100.0", what="password"))
    invited = OneTimeLink(digest=digest("seed invitation"), purpose=Purpose.INVITE, email="sam@people.example")
    invited.created_by, invited.created_at, invited.expires_at = ADMIN, end - timedelta(days=1), end + timedelta(days=6)
    soon = Announcement(text="On Sunday at 06:00 UTC the service restarts. Mail waits for a minute; none is lost.")
    soon.level, soon.shown_from, soon.shown_until = "info", end - timedelta(days=1), end + timedelta(days=4)
    past = Announcement(text="Passkeys are here: see Settings, Security.", level="info")
    past.shown_from, past.shown_until = end - 8 * week, end - 6 * week
    c.session.add_all([invited, soon, past])
