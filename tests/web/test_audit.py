"""No change without a trace (48): each form of each page is sent as it stands, and whatever changed is in the trail."""

from collections.abc import Callable

from sqlalchemy import Engine, func, select

from smtpy.store.columns import Base
from smtpy.store.schema import Audit
from tests.web.conftest import ON_BOTH
from tests.web.forms import forms
from tests.web.routes import some
from tests.web.test_access import some_url
from tests.web.test_csrf import digest
from tests.web.world import World, rightful

# No administrative acts, and why.
UNAUDITED_TABLES = {
    "epoch": "moves with the others",
    "audit": "is the trail",
    "one_time_links": "what asked for one is audited, and what comes of it",
    "dismissals": "that somebody has read something is theirs",
    "domain_checks": "what DNS shows is nobody's act",
    "leases": "the worker's",
}
UNAUDITED_ACTS = {
    "/welcome/go": "how far somebody is with their first hour is a bookmark",
    "/welcome/dismiss": "the same",
}
AT_LEAST = 25  # forms that changed something: this test looks at something


def acts(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Audit)) or 0


@ON_BOTH
def test_48_whatever_a_form_changes_is_in_the_audit_trail(build_world: Callable[..., World]) -> None:
    """And it says who did it, and from where."""
    world = build_world()
    seen: set[tuple[str, tuple[str, ...]]] = set()
    sent = []
    for route in some(write=False):
        page = world.as_(rightful(route)).get(some_url(route, world))
        if page.mimetype != "text/html":
            continue
        for form in forms(page.text):
            target = form.action or some_url(route, world)
            if (target, tuple(form.fields)) not in seen and target != "/auth/sign-out":
                seen.add((target, tuple(form.fields)))
                sent.append((rightful(route), target, form.fields))
    silent, loud, used = [], 0, True
    for who, target, fields in sent:
        if used:  # a new one, unless the form before was refused
            world = build_world()
            world.app.config.update(WTF_CSRF_ENABLED=False)
            before, count = digest(world.engine), acts(world.engine)
        answer = world.as_(who).post(target, data=fields)
        assert answer.status_code != 500, (target, answer.text)
        after = digest(world.engine)
        moved = {name for name in after if after[name] != before[name]} - UNAUDITED_TABLES.keys()
        used = bool(moved) or answer.status_code < 400
        loud += bool(moved)
        if moved and acts(world.engine) == count and target not in UNAUDITED_ACTS:
            silent.append((target, fields, moved))
    assert silent == []
    assert loud >= AT_LEAST, f"only {loud} of {len(sent)} forms changed anything"


def test_48_tables_that_are_left_out_are_there() -> None:
    assert UNAUDITED_TABLES.keys() <= {table.name for table in Base.metadata.sorted_tables}
