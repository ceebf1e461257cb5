"""Administrative acts on both databases: what they do, what they refuse and in which words, what trace they leave."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smtpy.admin import aliases, automatics, domains, mailboxes, members
from smtpy.admin.change import Change, change
from smtpy.admin.refusals import AlreadyThere, InTrash, InUse, Invalid, NotFound, Refusal
from smtpy.directory.entries import Mode, WhenOff
from smtpy.store.schema import Audit, Domain, Epoch, Mailbox, Role

ANN, BOB = "ann@people.example", "bob@people.example"
INBOX, OTHER, BOBS = "ann@inbox.example", "ann@other.example", "bob@inbox.example"


@pytest.fixture
def house(engine: Engine) -> Engine:
    """Ann owns our.example and two mailboxes, Bob owns his.example and one."""
    with change(engine, by="test") as c:
        members.add(c, ANN, role=Role.ADMIN)
        members.add(c, BOB)
        mailboxes.add(c, INBOX, owner=ANN, verified=True)
        mailboxes.add(c, OTHER, owner=ANN, verified=True)
        mailboxes.add(c, BOBS, owner=BOB, verified=True)
        domains.add(c, "our.example", owner=ANN)
        domains.add(c, "his.example", owner=BOB)
        aliases.add(c, "sales@our.example", to=[INBOX])
    return engine


def epoch(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalars(select(Epoch.value)).one()


def audit(engine: Engine) -> list[Audit]:
    with Session(engine) as session:
        return list(session.scalars(select(Audit).order_by(Audit.id)))


def mailbox(c: Change, address: str) -> object:
    return mailboxes.add(c, address, owner=ANN, verified=True)


Act = Callable[[Change], object]
REFUSED: dict[str, tuple[Act, type[Refusal], str]] = {
    "user twice, other letter case": (lambda c: members.add(c, "ANN@People.EXAMPLE"), AlreadyThere, "there already"),
    "user without @": (lambda c: members.add(c, "ann"), Invalid, "no @"),
    "unknown user off": (lambda c: members.off(c, "eve@people.example"), NotFound, "Add it first"),
    "unknown uuid": (lambda c: members.off(c, "00000000-0000-4000-8000-000000000000"), NotFound, "no user"),
    "user with a domain deleted": (lambda c: members.delete(c, ANN), InUse, "still owns a domain"),
    "mailbox twice": (lambda c: mailboxes.add(c, INBOX, owner=ANN, verified=True), AlreadyThere, "there already"),
    "mailbox on our domain": (
        lambda c: mailboxes.add(c, "x@OUR.example", owner=ANN, verified=True),
        InUse,
        "go in circles",
    ),
    "mailbox within": (lambda c: mailbox(c, "a=our.example@split.invalid"), Invalid, "Name a mailbox elsewhere"),
    "mailbox where all is dropped": (lambda c: mailbox(c, "x@DROP.invalid"), Invalid, "Name a mailbox elsewhere"),
    "mailbox under it": (lambda c: mailbox(c, "x@a.drop.invalid"), Invalid, "Name a mailbox elsewhere"),
    "mailbox on this server": (lambda c: mailbox(c, "x@MX.house.example"), Invalid, "has no mailboxes"),
    "mailbox beyond ASCII": (lambda c: mailbox(c, "jörg@inbox.example"), Invalid, "in ASCII only"),
    "mailbox of nobody": (
        lambda c: mailboxes.add(c, "a@b.example", owner="x@y.example", verified=True),
        NotFound,
        "user",
    ),
    "mailbox in use deleted": (lambda c: mailboxes.delete(c, BOBS), InUse, "A role of a domain leads"),
    "mailbox of an alias deleted": (lambda c: mailboxes.delete(c, INBOX), InUse, "An alias leads"),
    "domain twice": (lambda c: domains.add(c, "OUR.example.", owner=BOB), AlreadyThere, "there already"),
    "domain with a mailbox on it": (
        lambda c: domains.add(c, "inbox.example", owner=BOB),
        InUse,
        "get its own mail back",
    ),
    "domain literal": (lambda c: domains.add(c, "[192.0.2.1]", owner=ANN), Invalid, "is an IP address"),
    "domain within": (lambda c: domains.add(c, "split.invalid", owner=ANN), Invalid, "within the service"),
    "domain under one within": (lambda c: domains.add(c, "a.drop.invalid", owner=ANN), Invalid, "within the service"),
    "domain of this server's name": (lambda c: domains.add(c, "MX.house.example", owner=ANN), Invalid, "own name"),
    "domain with a space": (lambda c: domains.add(c, "a b.example", owner=ANN), Invalid, "valid host name"),
    "private domain": (lambda c: domains.set_(c, "our.example", default_mode=Mode.PRIVATE), Invalid, "Use transparent"),
    "strange separator": (lambda c: domains.set_(c, "our.example", extension_separator="a"), Invalid, "one of"),
    "no octets": (lambda c: domains.set_(c, "our.example", max_message_bytes=0), Invalid, "one octet"),
    "more octets than numbers": (
        lambda c: domains.set_(c, "our.example", max_message_bytes=2**63),
        Invalid,
        "at most 9223372036854775807",
    ),
    "roles to another's mailbox": (lambda c: domains.set_(c, "our.example", role_mailbox=BOBS), NotFound, "no mailbox"),
    "alias twice": (lambda c: aliases.add(c, "Sales@our.example", to=[INBOX]), AlreadyThere, "there already"),
    "alias without mailbox": (lambda c: aliases.add(c, "x@our.example"), Invalid, "at least one"),
    "alias to an unknown mailbox": (
        lambda c: aliases.add(c, "x@our.example", to=["n@n.example"]),
        NotFound,
        "no mailbox",
    ),
    "alias to another's mailbox": (lambda c: aliases.add(c, "x@our.example", to=[BOBS]), NotFound, "no mailbox"),
    "alias elsewhere": (lambda c: aliases.add(c, "x@elsewhere.example", to=[INBOX]), NotFound, "no domain of this"),
    "alias with %": (lambda c: aliases.add(c, "a%b.example@our.example", to=[INBOX]), Invalid, "% ! @ :"),
    "alias with a quoted @": (lambda c: aliases.add(c, '"a@b"@our.example', to=[INBOX]), Invalid, "% ! @ :"),
    "alias like SRS": (lambda c: aliases.add(c, "srs0=x@our.example", to=[INBOX]), Invalid, "return addresses"),
    "alias like a token": (lambda c: aliases.add(c, "SRST=x@our.example", to=[INBOX]), Invalid, "return addresses"),
    "alias that grows when folded": (lambda c: aliases.add(c, f"{'İ' * 32}@our.example", to=[INBOX]), Invalid, "64"),
    "private alias": (
        lambda c: aliases.add(c, "x@our.example", to=[INBOX], mode=Mode.PRIVATE),
        Invalid,
        "reply addresses",
    ),
    "endless note": (lambda c: aliases.set_(c, "sales@our.example", note="n" * 1001), Invalid, "at most 1000"),
    "note that is no text": (lambda c: aliases.set_(c, "sales@our.example", note="\udcff"), Invalid, "not UTF-8"),
    "note that ends early": (lambda c: aliases.set_(c, "sales@our.example", note="a\0b"), Invalid, "not UTF-8"),
    "name that is no text": (lambda c: members.add(c, "eve@people.example", name="\udcff"), Invalid, "not UTF-8"),
    "endless name": (lambda c: members.add(c, "eve@people.example", name="n" * 201), Invalid, "at most 200"),
    "alias to nowhere": (lambda c: aliases.set_(c, "sales@our.example", to=[]), Invalid, "at least one"),
    "broken pattern": (lambda c: automatics.add(c, "our.example", "a(", to=[INBOX]), Invalid, "RE2"),
    "back reference": (lambda c: automatics.add(c, "our.example", r"(a)\1", to=[INBOX]), Invalid, "RE2"),
    "empty pattern": (lambda c: automatics.add(c, "our.example", "", to=[INBOX]), Invalid, "catch-all"),
    "long pattern": (lambda c: automatics.add(c, "our.example", "a" * 201, to=[INBOX]), Invalid, "200"),
    "pattern that is no text": (lambda c: automatics.add(c, "our.example", "\udcff", to=[INBOX]), Invalid, "not UTF-8"),
    "pattern that ends early": (lambda c: automatics.add(c, "our.example", "a\0", to=[INBOX]), Invalid, "not UTF-8"),
    "rule without mailbox": (lambda c: automatics.add(c, "our.example", "a", to=[]), Invalid, "at least one"),
    "no such rule": (lambda c: automatics.delete(c, "99"), NotFound, "ids"),
    "rule by nonsense": (lambda c: automatics.delete(c, "x"), NotFound, "ids"),
}


@pytest.mark.parametrize(("act", "kind", "words"), REFUSED.values(), ids=list(REFUSED))
def test_refuses_in_words_and_changes_nothing(house: Engine, act: Act, kind: type[Refusal], words: str) -> None:
    before = epoch(house), len(audit(house))
    with pytest.raises(kind) as refusal, change(house, by="test", hostname="mx.house.example") as c:
        act(c)
    assert type(refusal.value) is kind
    assert words in refusal.value.message
    assert (epoch(house), len(audit(house))) == before


IDEMPOTENT: dict[str, Act] = {
    "user on": lambda c: members.on(c, ANN),
    "domain on": lambda c: domains.on(c, "our.example"),
    "mailbox on": lambda c: mailboxes.on(c, INBOX),
    "alias restored": lambda c: aliases.restore(c, "sales@our.example"),
    "alias set to what it is": lambda c: aliases.set_(c, "sales@our.example", to=[INBOX], when_off=WhenOff.REJECT),
    "no catch-all": lambda c: automatics.no_catch_all(c, "our.example"),
}


@pytest.mark.parametrize("act", IDEMPOTENT.values(), ids=list(IDEMPOTENT))
def test_what_changes_nothing_leaves_no_trace(house: Engine, act: Act) -> None:
    before = epoch(house), len(audit(house))
    with change(house, by="test") as c:
        act(c)
    assert (epoch(house), len(audit(house))) == before


def test_a_change_is_one_transaction_with_audit_and_epoch(house: Engine) -> None:
    before = epoch(house)
    with change(house, by="cli:root") as c:
        aliases.off(c, "SALES@our.example")
    assert epoch(house) > before
    row = audit(house)[-1]
    assert (row.actor, row.act, row.subject) == ("cli:root", "alias.off", "alias sales@our.example")
    assert (row.before, row.after) == ({"enabled": True}, {"enabled": False})
    assert row.at.tzinfo is UTC


def off_and_more(c: Change) -> None:
    aliases.off(c, "sales@our.example")
    aliases.off(c, "none@our.example")


def test_an_error_takes_everything_back(house: Engine) -> None:
    before = epoch(house), len(audit(house))
    with pytest.raises(NotFound), change(house, by="test") as c:
        off_and_more(c)
    assert (epoch(house), len(audit(house))) == before
    with Session(house) as session:
        assert aliases.show(session, "sales@our.example").enabled


def test_a_deleted_alias_keeps_its_address(house: Engine) -> None:
    for _ in range(2):
        with change(house, by="test") as c:
            gone = aliases.delete(c, "sales@our.example")
    assert gone.deleted_at is not None
    for act in (lambda c: aliases.add(c, "sales@our.example", to=[INBOX]), lambda c: aliases.on(c, gone.uuid)):
        with pytest.raises(InTrash, match="Restore"), change(house, by="test") as c:
            act(c)
    with Session(house) as session:
        assert aliases.page(session) == ()
        assert [alias.address for alias in aliases.page(session, trash=True)] == ["sales@our.example"]
    with change(house, by="test") as c:
        back = aliases.restore(c, gone.uuid)
    assert (back.deleted_at, back.mailboxes) == (None, (INBOX,))


def test_the_trash_keeps_every_name(house: Engine) -> None:
    with change(house, by="test") as c:
        mailboxes.delete(c, OTHER)
        domains.delete(c, "his.example")
        mailboxes.delete(c, BOBS)
        members.delete(c, BOB)
    for act in (
        lambda c: mailboxes.add(c, OTHER, owner=ANN, verified=True),
        lambda c: domains.add(c, "his.example", owner=ANN),
        lambda c: members.add(c, BOB),
    ):
        with pytest.raises(InTrash), change(house, by="test") as c:
            act(c)


def test_restoring_keeps_mailboxes_and_domains_apart(house: Engine) -> None:
    with change(house, by="test") as c:
        domains.delete(c, "his.example")
        mailboxes.add(c, "ann@his.example", owner=ANN, verified=True)
    with pytest.raises(InUse), change(house, by="test") as c:
        domains.restore(c, "his.example")
    with change(house, by="test") as c:
        mailboxes.delete(c, "ann@his.example")
        domains.restore(c, "his.example")
    with pytest.raises(InUse, match="circles"), change(house, by="test") as c:
        mailboxes.restore(c, "ann@his.example")


def test_what_was_taken_once_is_asked_again_when_it_is_restored(house: Engine) -> None:
    """An earlier version took all of these, and the server had another name then."""
    taken = ("x@split.invalid", "x@drop.invalid", "jörg@far.example", "x@mx.house.example")
    with change(house, by="test") as c:
        owner_id = members.find(c.session, ANN).id
        for address in taken:
            domain = address.partition("@")[2]
            c.session.add(Mailbox(owner_id=owner_id, address=address, key=address, domain=domain, deleted_at=c.now))
        c.session.add(Domain(owner_id=owner_id, name="mx.house.example", deleted_at=c.now))
        c.acts += 1
    for kind, names in ((mailboxes, taken), (domains, ("mx.house.example",))):
        for name in names:
            with pytest.raises(Invalid), change(house, by="test", hostname="mx.house.example") as c:
                kind.restore(c, name)


def test_a_domain_in_the_trash_holds_no_mailbox(house: Engine) -> None:
    with change(house, by="test") as c:
        automatics.catch_all(c, "his.example", to=[BOBS])
        domains.delete(c, "his.example")
        mailboxes.delete(c, BOBS)
    with pytest.raises(InTrash, match=r"rule .* Restore one"), change(house, by="test") as c:
        domains.restore(c, "his.example")
    with change(house, by="test") as c:
        mailboxes.restore(c, BOBS)
        assert domains.restore(c, "his.example").deleted_at is None


def test_restoring_goes_from_the_owner_down(house: Engine) -> None:
    with change(house, by="test") as c:
        aliases.add(c, "bob@his.example", to=[BOBS])
        aliases.delete(c, "bob@his.example")
        domains.delete(c, "his.example")
        mailboxes.delete(c, BOBS)
        members.delete(c, BOB)
    order: tuple[Act, ...] = (
        lambda c: members.restore(c, BOB),
        lambda c: mailboxes.restore(c, BOBS),
        lambda c: aliases.restore(c, "bob@his.example"),
    )
    for number, act in enumerate(order):
        for later in order[number + 1 :]:
            with pytest.raises(InTrash, match="Restore"), change(house, by="test") as c:
                later(c)
        with change(house, by="test") as c:
            act(c)


def test_roles_go_to_the_first_verified_mailbox(house: Engine) -> None:
    eve = "eve@people.example"
    with change(house, by="test") as c:
        members.add(c, eve)
        assert domains.add(c, "first.example", owner=eve).role_mailbox is None
        mailboxes.add(c, "new@inbox.example", owner=eve, verified=False)
        assert domains.add(c, "second.example", owner=eve).role_mailbox is None
        mailboxes.add(c, "eve@inbox.example", owner=eve, verified=True)
        mailboxes.add(c, "late@inbox.example", owner=eve, verified=True)
        assert domains.add(c, "third.example", owner=eve).role_mailbox == "eve@inbox.example"
    with Session(house) as session:
        assert [domain.role_mailbox for domain in domains.page(session, owner=eve)] == ["eve@inbox.example"] * 3


def test_an_alias_takes_the_domains_choices_and_its_own(house: Engine) -> None:
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    with change(house, by="test") as c:
        domains.set_(c, "our.example", when_off=WhenOff.DEFER)
        plain = aliases.add(c, "plain@our.example", to=[OTHER, INBOX, OTHER])
        chosen = aliases.add(c, "x@our.example", to=[INBOX], when_off=WhenOff.DROP, note="shop", expires_at=expires)
    assert (plain.when_off, plain.mailboxes) == ("defer", (OTHER, INBOX))
    assert (chosen.when_off, chosen.note, chosen.expires_at) == ("drop", "shop", expires)
    with change(house, by="test") as c:
        moved = aliases.set_(c, "x@our.example", to=[OTHER], expires_at=None, note="")
    assert (moved.mailboxes, moved.expires_at, moved.note) == ((OTHER,), None, "")


def test_addresses_are_compared_folded(house: Engine) -> None:
    with change(house, by="test") as c:
        made = aliases.add(c, '"Été.Sale"@OUR.example', to=[INBOX])
        assert made.address == "été.sale@our.example"
        with pytest.raises(AlreadyThere):
            aliases.add(c, "ÉTÉ.SALE@our.example", to=[INBOX])


def test_one_address_two_owners(house: Engine) -> None:
    with change(house, by="test") as c:
        twin = mailboxes.add(c, INBOX, owner=BOB, verified=True)
        aliases.add(c, "x@his.example", to=[INBOX])
        with pytest.raises(Invalid, match="UUID"):
            mailboxes.off(c, INBOX)
        assert not mailboxes.off(c, twin.uuid).enabled
    with Session(house) as session:
        assert [(box.owner, box.enabled) for box in mailboxes.page(session) if box.address == INBOX] == [
            (ANN, True),
            (BOB, False),
        ]


def test_rules_in_order_and_one_catch_all(house: Engine) -> None:
    with change(house, by="test") as c:
        automatics.catch_all(c, "our.example", to=[INBOX])
        first = automatics.add(c, "our.example", "shop-.*", to=[INBOX])
        automatics.add(c, "our.example", "s.*", to=[OTHER])
        automatics.catch_all(c, "our.example", to=[OTHER])
        with pytest.raises(AlreadyThere):
            automatics.add(c, "our.example", "s.*", to=[OTHER])
    with Session(house) as session:
        rules = automatics.page(session, "our.example")
        assert automatics.show(session, first.uuid) == first
    assert [(rule.pattern, rule.mailboxes) for rule in rules] == [
        ("shop-.*", (INBOX,)),
        ("s.*", (OTHER,)),
        (None, (OTHER,)),
    ]
    with change(house, by="test") as c:
        automatics.delete(c, str(first.id))
        automatics.no_catch_all(c, "our.example")
    with Session(house) as session:
        assert [rule.pattern for rule in automatics.page(session, "our.example")] == ["s.*"]
    assert audit(house)[-1].act == "rule.delete"
    assert audit(house)[-1].after is None


def test_a_mailbox_of_a_rule_stays(house: Engine) -> None:
    with change(house, by="test") as c:
        automatics.add(c, "our.example", "x.*", to=[OTHER])
    with pytest.raises(InUse, match="automatic"), change(house, by="test") as c:
        mailboxes.delete(c, OTHER)


def test_pages_follow_each_other(house: Engine) -> None:
    with change(house, by="test") as c:
        for number in range(7):
            aliases.add(c, f"a{number}@our.example", to=[INBOX, OTHER])
        aliases.add(c, "x@his.example", to=[BOBS])
    with Session(house) as session:
        seen, after = [], 0
        while page := aliases.page(session, domain="our.example", after=after, limit=3):
            assert len(page) <= 3
            seen += [alias.address for alias in page]
            after = page[-1].id
        assert seen == ["sales@our.example", *(f"a{number}@our.example" for number in range(7))]
        assert [alias.address for alias in aliases.page(session, owner=BOB)] == ["x@his.example"]
        assert [user.email for user in members.page(session, after=0, limit=1)] == [ANN]
        assert [domain.name for domain in domains.page(session)] == ["our.example", "his.example"]
