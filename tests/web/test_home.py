"""The dashboard: figures with their period, what is to be looked after, and where to begin."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from smtpy.store import counting
from smtpy.store.checks import DomainCheck
from smtpy.store.schema import Domain, SigningKey
from tests.queries import statements
from tests.web.test_aliases import more
from tests.web.world import World


def proven(world: World) -> None:
    with Session(world.engine) as session, session.begin():
        session.execute(update(Domain).values(proven_at=datetime.now(UTC)))


def test_what_came_is_statements(world: World) -> None:
    counting.count(world.engine)
    page = world.as_("owner").get("/").text
    assert "The last 30 days" in page
    assert "<b>1</b><span>forwarded</span>" in page
    assert page.count('scope="row"') == 30
    assert "shop@elsewhere.example" in page
    assert 'data-copy="shop@ann.example"' in page


def test_who_has_nothing_is_led_to_the_beginning(world: World) -> None:
    page = world.as_("other").get("/").text
    assert "Welcome" in page
    assert "Begin" in page
    assert "ann.example" not in page


def test_what_is_to_be_looked_after_is_said(world: World) -> None:
    assert "spare@inbox.example</b> before the link" in world.as_("owner").get("/").text
    fixed = {"subject": "ann.example", "required": True, "expected": "", "found": [], "todo": "Publish it."}
    with Session(world.engine) as session, session.begin():
        session.execute(update(Domain).values(proven_at=None))
    assert "ann.example</b> takes no mail yet" in world.as_("owner").get("/").text
    proven(world)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    with Session(world.engine) as session, session.begin():
        for kind in ("mx", "spf"):
            session.add(DomainCheck(**fixed, kind=kind, name=kind, status="missing", checked_at=long_ago))
        session.add(DomainCheck(**fixed, kind="tlsrpt", name="x", status="ok", checked_at=long_ago))
        session.execute(update(SigningKey).values(created_at=long_ago, used_from=None, retired_at=None))
    page = world.as_("owner").get("/").text
    assert "<b>ann.example</b> does not publish what it must (MX, SPF)" in page
    assert page.count("New signing keys of <b>ann.example</b>") == 1


def test_nothing_of_other_people_is_a_concern(world: World) -> None:
    assert "concerns" not in world.as_("other").get("/").text


def test_it_takes_as_many_statements_for_many_as_for_few(world: World) -> None:
    client = world.as_("owner")
    with statements(world.engine) as few:
        client.get("/")
    more(world, *(f"x{number}" for number in range(30)))
    with statements(world.engine) as many:
        client.get("/")
    assert len(many) <= len(few) <= 24
