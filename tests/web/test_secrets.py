"""What is secret stays so (11, 43, 44, 49): not in logs, whatever goes wrong, nor readable in the database."""

import logging
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from smtpy.cli.logs import set_up
from smtpy.store.columns import Base
from tests.web.routes import some
from tests.web.test_access import fill, some_url
from tests.web.world import SECRET, World, rightful

WORDS = ("password", "new_password", "code", "token", "email", "q", "about", "note", "text", "sender", "subject", "raw")


@pytest.mark.parametrize("fails", [False, True])
def test_49_logs_hold_no_secrets_tokens_or_words(world: World, fails: bool, caplog: pytest.LogCaptureFixture) -> None:
    """All routes, with a canary as cookie, path, query, form and referrer; the second time each view fails."""
    caplog.set_level(logging.DEBUG)

    def fail(**_: object) -> str:
        raise RuntimeError("a defect")

    for route in some():
        target = some_url(route, world)
        if "token" in route.arguments:
            target = fill(route, {"token": f"{SECRET}-token"})
        if fails:
            world.app.view_functions[route.endpoint] = fail
        canary, client = dict.fromkeys(WORDS, f"{SECRET}-word"), world.as_(rightful(route))
        headers = {"Referer": f"http://localhost/{SECRET}-referrer", "User-Agent": f"{SECRET}-agent"}
        form = canary if route.is_write else None
        client.open(target, method=route.method, query_string=canary, data=form, headers=headers).close()
    assert caplog.records or not fails
    told = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    assert SECRET not in told


def test_49_without_the_database_the_log_is_as_discreet(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.engine.dispose()
    world.lose_database()
    world.as_("anonymous").get(f"/auth/reset/{SECRET}-token?q={SECRET}")
    world.as_("owner").get(f"/aliases?q={SECRET}")
    assert caplog.records
    assert SECRET not in "\n".join(record.getMessage() + str(record.exc_info) for record in caplog.records)


def test_11_43_no_secret_can_be_read_in_the_database(world: World) -> None:
    world.as_("owner").get("/")
    with world.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert SECRET not in repr(row), table.name
                assert b"PRIVATE KEY" not in repr(row).encode(), table.name


def test_44_what_is_secret_is_compared_in_constant_time_or_by_digest() -> None:
    """No `==` on a token, a code or a password in the packages that handle them."""
    careless = re.compile(r"(?:token|password|secret|digest)\w*\s*[!=]=\s*(?!None\b)[a-z_]+(?:\.|$|\))")
    found = []
    for path in Path("web").rglob("*.py"):
        found += [f"{path}: {hit[0]}" for hit in careless.finditer(path.read_text()) if "status_code" not in hit[0]]
    assert found == []


def test_49_one_record_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("web", "info")
    try:
        logging.getLogger("smtpy.web").warning("%s", "a\nb\x1b[31m\u202e")
        assert re.fullmatch(r"\S+Z WARNING web: a\\nb\\x1b\[31m\\u202e\n", capsys.readouterr().err)
    finally:
        logging.getLogger().handlers.clear()
