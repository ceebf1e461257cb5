"""What the DNS of a domain is to say, beside what was found: on both databases."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from smtpy.admin import aliases, belongings, domains, keys, mailboxes, members, sheets, welcome
from smtpy.admin.change import change, reading
from smtpy.admin.scope import Viewer
from smtpy.config import Settings, judge
from smtpy.resolver import Resolver
from smtpy.store.findings import keep
from smtpy.terms import vault_of
from smtpy.zone.findings import Status, finding
from smtpy.zone.records import Kind
from tests.dns import Zone
from tests.nameserver import Nameserver, silence

ANN, BEN = "ann@people.example", "ben@people.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    secrets = dict.fromkeys(("secret_keys", "srs_secrets", "encryption_keys"), "x" * 48)
    names = {"hostname": "mx.our.example", "postmaster": "ops@inbox.example", "mx_hosts": ["a.example", "b.example"]}
    return judge({**secrets, **names, "state_dir": str(tmp_path), "run_dir": str(tmp_path)})


@pytest.fixture
def house(engine: Engine, settings: Settings) -> Engine:
    with change(engine, by="test", vault=vault_of(settings)) as c:
        for email in (ANN, BEN):
            members.add(c, email)
        mailboxes.add(c, "ann@inbox.example", owner=ANN, verified=True)
        domains.add(c, "ann.example", owner=ANN)
        domains.add(c, "bare.example", owner=ANN)
        aliases.add(c, "shop@ann.example", to=["ann@inbox.example"])
    return engine


def found(engine: Engine, settings: Settings, *judged: tuple[Kind, Status]) -> None:
    """Have a check have found these of ann.example, and all else right."""
    from smtpy.admin.checks import wanted

    with reading(engine) as session:
        records = wanted(session, "ann.example", settings)
    groups: dict[tuple[Kind, str], list[object]] = {}
    for each in records:
        groups.setdefault((each.kind, each.name), []).append(each)
    statuses = dict(judged)
    made = [finding(group, statuses.get(kind, Status.OK), ["told"]) for (kind, _), group in groups.items()]  # type: ignore[arg-type]
    keep(engine, "ann.example", made, datetime.now(UTC))


def sheet(engine: Engine, settings: Settings) -> sheets.Sheet:
    with reading(engine) as session:
        return sheets.sheet(session, "ann.example", settings)


def test_before_a_check_all_is_unchecked(house: Engine, settings: Settings) -> None:
    made = sheet(house, settings)
    assert {each.status for each in made.records} == {"unchecked"}
    assert (made.checked_at, made.done, made.complete, made.keyless) == (None, 0, False, False)


def test_records_of_one_name_stand_together_with_their_parts(house: Engine, settings: Settings) -> None:
    records = {each.kind: each for each in sheet(house, settings).records}
    mx, proof = records["mx"], records["ownership"]
    assert (mx.host, mx.preference, mx.values) == ("@", 10, ("a.example", "b.example"))
    assert (proof.host, proof.name) == ("_smtpy", "_smtpy.ann.example")


def test_what_was_found_stands_beside_it(house: Engine, settings: Settings) -> None:
    found(house, settings, (Kind.SPF, Status.WRONG), (Kind.DMARC, Status.MISSING))
    made = sheet(house, settings)
    assert {each.kind for each in made.records if each.bad} == {"spf"}
    assert made.done == len(made.needed) - 1
    found(house, settings)
    assert sheet(house, settings).complete


def test_what_was_found_of_an_earlier_value_does_not_count(house: Engine, settings: Settings) -> None:
    found(house, settings)
    other = settings.model_copy(update={"mx_hosts": ("c.example",)})
    statuses = {each.kind: each.status for each in sheet(house, other).records}
    assert (statuses["mx"], statuses["spf"]) == ("unchecked", "ok")


def test_a_list_tells_the_worst_of_what_is_required(house: Engine, settings: Settings) -> None:
    found(house, settings, (Kind.SPF, Status.WRONG), (Kind.MX, Status.WARNING), (Kind.DMARC, Status.MISSING))
    with change(house, by="test", vault=vault_of(settings)) as c:
        keys.use(c, "ann.example")
        keys.rotate(c, "ann.example")
    with reading(house) as session:
        views = domains.page(session)
        ann, bare = (sheets.summaries(session, views)[each.id] for each in views)
    assert (ann.aliases, ann.status, ann.used, ann.waiting) == (1, "wrong", 2, 2)
    assert (bare.aliases, bare.status, bare.checked_at, bare.used, bare.waiting) == (0, "unchecked", None, 0, 2)


def test_who_keeps_the_dns_is_told_within_a_time() -> None:
    with Nameserver(Zone({"ann.example": {"NS": ["ns1.domaincontrol.com"]}})) as server:
        resolver = Resolver([(server.host, server.port)])
        provider, servers = sheets.keeper(resolver, "mail.ann.example", 2)
        assert (provider and provider.name, servers) == ("GoDaddy", ("ns1.domaincontrol.com",))
        assert sheets.keeper(resolver, "nowhere.example", 2) == (None, ())
    with silence() as deaf:
        assert sheets.keeper(Resolver([deaf]), "ann.example", 0.2) == (None, ())


def viewer(engine: Engine, email: str) -> Viewer:
    with reading(engine) as session:
        return Viewer(members.find(session, email).id)


def test_what_leads_to_their_own_mailboxes_is_a_members_own(house: Engine) -> None:
    with reading(house) as session:
        alias = aliases.show(session, "shop@ann.example").id
    own = [
        (ANN, "shop@ann.example", alias, ("ann@inbox.example",), True),
        (BEN, "shop@ann.example", alias, ("ann@inbox.example",), False),
        (ANN, "none@ann.example", None, (), True),
        (ANN, "postmaster@ann.example", None, ("ops@inbox.example",), False),
        (BEN, "none@ann.example", None, (), False),
        (ANN, "x@elsewhere.example", None, (), False),
    ]
    for email, address, alias_id, boxes, expected in own:
        with reading(house, viewer(house, email)) as session:
            assert belongings.is_own(session, address, alias_id, boxes) is expected, (email, address)


def test_how_far_somebody_is_shows_in_what_they_have(house: Engine, settings: Settings) -> None:
    with reading(house, viewer(house, BEN)) as session:
        none = welcome.progress(session, settings)
    assert not any(none.has(step) for step in welcome.STEPS)
    with reading(house, viewer(house, ANN)) as session:
        some = welcome.progress(session, settings)
    assert [some.has(step) for step in welcome.STEPS] == [True, False, True, False, False]
    assert some.works
