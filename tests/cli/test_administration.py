"""Users, domains, mailboxes, aliases and rules from the command line: what people type and what they read."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smtpy.store import counting
from smtpy.store.engine import open_engine
from smtpy.store.rows import write
from tests.cli.conftest import ANN, INBOX, Run
from tests.store.test_journal import entry


def read(smtpy: Run, *words: str) -> Any:
    done = smtpy(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


NOUNS = {"user": ANN, "domain": "our.example", "mailbox": INBOX, "alias": "sales@our.example"}


@pytest.mark.parametrize(("noun", "name"), NOUNS.items())
def test_shown_by_name_and_by_uuid(house: Run, noun: str, name: str) -> None:
    found = read(house, noun, "show", name)
    assert read(house, noun, "show", found["uuid"]) == found
    assert [each["uuid"] for each in read(house, noun, "list")] == [found["uuid"]]
    text = house(noun, "show", name)
    assert name in text.output
    assert found["uuid"] in text.output


@pytest.mark.parametrize(("noun", "name"), NOUNS.items())
def test_switched_off_and_on_as_often_as_you_like(house: Run, noun: str, name: str) -> None:
    for act, enabled in (("off", False), ("off", False), ("on", True), ("on", True)):
        done = house(noun, act, name)
        assert (done.exit_code, done.output) == (0, f"{noun} {name} is {act}\n")
        assert read(house, noun, "show", name)["enabled"] is enabled


def test_what_was_kept_for_long_enough_is_purged(house: Run, config: Path) -> None:
    engine = open_engine(f"sqlite:///{config.parent.parent}/state/smtpy.db")
    with engine.begin() as connection:
        write(connection, [entry(number, at=datetime.now(UTC) - timedelta(days=100)) for number in range(1200)])
    kinds = ("messages", "events", "senders", "announcements", "aliases", "domains", "mailboxes", "users")
    nothing = dict.fromkeys(kinds, 0)
    assert read(house, "purge") == nothing  # the worker has not counted it
    while counting.count(engine):
        pass
    done = house("purge")
    rest = ", ".join(f"0 {kind}" for kind in kinds[1:])
    assert (done.exit_code, done.output) == (0, f"purged 1199 messages, {rest}\n")
    assert read(house, "purge") == nothing
    engine.dispose()


@pytest.mark.parametrize("noun", ["alias", "domain"])
def test_deleted_and_restored_as_often_as_you_like(house: Run, noun: str) -> None:
    name = NOUNS[noun]
    for act in ("delete", "delete"):
        assert house(noun, act, name).output == f"{noun} {name} is in the trash\n"
        assert read(house, noun, "list") == []
        assert [bool(each["deleted_at"]) for each in read(house, noun, "list", "--trash")] == [True]
    assert house(noun, "off", name).exit_code == os.EX_CANTCREAT
    for act in ("restore", "restore"):
        assert house(noun, act, name).output == f"{noun} {name} is back\n"
        assert len(read(house, noun, "list")) == 1


REFUSED = {
    "alias add sales@our.example --to ann@inbox.example": (os.EX_CANTCREAT, "there already"),
    "alias add x@our.example": (os.EX_DATAERR, "at least one mailbox"),
    "alias add x@other.example --to ann@inbox.example": (os.EX_NOUSER, "Add it first"),
    "alias add x@our.example --to bob@inbox.example": (os.EX_NOUSER, "Add it"),
    "alias add x@our.example --to ann@inbox.example --mode private": (os.EX_USAGE, "is not 'transparent'"),
    "domain set our.example --default-mode private": (os.EX_USAGE, "is not 'transparent'"),
    "alias add x@our.example --to ann@inbox.example --expires soon": (os.EX_DATAERR, "2030-12-31"),
    "alias set sales@our.example --expires 0001-01-01T00:00:00+14:00": (os.EX_DATAERR, "2030-12-31"),
    "alias set sales@our.example --expires 9999-12-31T23:59:59-14:00": (os.EX_DATAERR, "2030-12-31"),
    "alias set sales@our.example --note \udcff": (os.EX_USAGE, "argument 7 is not UTF-8"),
    "user add eve@people.example --name \udcff": (os.EX_USAGE, "is not UTF-8"),
    "resolve \udcff@our.example": (os.EX_USAGE, "is not UTF-8"),
    f"alias list --after {2**63}": (os.EX_USAGE, "not in the range"),
    f"log --before {2**63}": (os.EX_USAGE, "not in the range"),
    f"domain set our.example --max-message-bytes {2**63}": (os.EX_DATAERR, "at most 9223372036854775807"),
    "alias add a%b@our.example --to ann@inbox.example": (os.EX_DATAERR, "% ! @ :"),
    "alias off none@our.example": (os.EX_NOUSER, "no alias"),
    "alias show x": (os.EX_DATAERR, "no @"),
    "mailbox add a@our.example --owner ann@people.example": (os.EX_UNAVAILABLE, "circles"),
    "mailbox add a@MX.our.example --owner ann@people.example": (os.EX_DATAERR, "has no mailboxes"),
    "mailbox add a@split.invalid --owner ann@people.example": (os.EX_DATAERR, "Name a mailbox elsewhere"),
    "mailbox delete ann@inbox.example": (os.EX_UNAVAILABLE, "leads to"),
    "user delete ann@people.example": (os.EX_UNAVAILABLE, "still owns"),
    "domain add inbox.example --owner ann@people.example": (os.EX_UNAVAILABLE, "Delete it first"),
    "domain add mx.our.example --owner ann@people.example": (os.EX_DATAERR, "own name"),
    "domain set our.example --extension-separator x": (os.EX_DATAERR, "one of"),
    "rule add our.example a( --to ann@inbox.example": (os.EX_DATAERR, "RE2"),
    "rule delete 12": (os.EX_NOUSER, "ids"),
    "domain catch-all our.example": (os.EX_USAGE, "--off"),
    "domain catch-all our.example ann@inbox.example --off": (os.EX_USAGE, "--off"),
}


@pytest.mark.parametrize(
    ("words", "code", "said"), [(words, *end) for words, end in REFUSED.items()], ids=list(REFUSED)
)
def test_refusals_have_a_code_and_name_the_fix(house: Run, words: str, code: int, said: str) -> None:
    done = house(*words.split())
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_the_largest_numbers_are_taken(house: Run) -> None:
    most = str(2**63 - 1)
    assert house("domain", "set", "our.example", "--max-message-bytes", most).exit_code == 0
    assert read(house, "domain", "show", "our.example")["max_message_bytes"] == 2**63 - 1
    assert read(house, "alias", "list", "--after", most) == []
    assert read(house, "log", "--before", most) == []


def test_help_offers_what_works(house: Run) -> None:
    for words in (("alias", "add"), ("alias", "set"), ("rule", "add"), ("domain", "set")):
        assert "private" not in house(*words, "--help").output


def test_an_alias_with_everything_chosen(house: Run) -> None:
    house("mailbox", "add", "second@inbox.example", "--owner", ANN)
    added = house(
        *("alias", "add", "all@our.example", "--to", "second@inbox.example", "--to", INBOX, "--note", "for the shop"),
        *("--expires", "2030-01-01T12:00:00+02:00", "--when-off", "drop", "--mode", "transparent"),
    )
    assert added.output == f"added alias all@our.example to second@inbox.example, {INBOX}\n"
    found = read(house, "alias", "show", "all@our.example")
    assert found["mailboxes"] == ["second@inbox.example", INBOX]
    assert (found["note"], found["when_off"], found["mode"]) == ("for the shop", "drop", "transparent")
    assert found["expires_at"] == "2030-01-01T10:00:00+00:00"
    house("alias", "set", "all@our.example", "--expires", "none", "--note", "", "--when-off", "defer", "--to", INBOX)
    found = read(house, "alias", "show", "all@our.example")
    assert (found["expires_at"], found["note"], found["when_off"]) == (None, "", "defer")
    assert found["mailboxes"] == [INBOX]


def test_what_is_not_said_stays_as_it_is(house: Run) -> None:
    before = read(house, "alias", "show", "sales@our.example")
    assert house("alias", "set", "sales@our.example").exit_code == 0
    assert read(house, "alias", "show", "sales@our.example") == before


def test_domain_choices_can_be_taken_away(house: Run) -> None:
    house(
        *("domain", "set", "our.example", "--max-message-bytes", "1000", "--extension-separator", "-"),
        *("--when-off", "defer", "--role-mailbox", INBOX),
    )
    found = read(house, "domain", "show", "our.example")
    assert (found["max_message_bytes"], found["extension_separator"], found["when_off"]) == (1000, "-", "defer")
    house(
        *("domain", "set", "our.example", "--max-message-bytes", "none", "--extension-separator", "none"),
        *("--role-mailbox", "none"),
    )
    found = read(house, "domain", "show", "our.example")
    assert (found["max_message_bytes"], found["extension_separator"], found["role_mailbox"]) == (None, None, None)


def test_rules_and_the_catch_all(house: Run) -> None:
    assert house("rule", "add", "our.example", "shop-.*", "--to", INBOX).output.startswith("added rule 1: shop-.*@")
    assert house("domain", "catch-all", "our.example", INBOX).exit_code == 0
    assert [rule["pattern"] for rule in read(house, "rule", "list", "our.example")] == ["shop-.*", None]
    for _ in range(2):
        assert house("domain", "catch-all", "our.example", "--off").exit_code == 0
    assert house("rule", "delete", "1").output == "deleted rule 1 of our.example\n"
    assert read(house, "rule", "list", "our.example") == []


def test_a_full_page_says_how_to_go_on(house: Run) -> None:
    house("alias", "add", "two@our.example", "--to", INBOX)
    first = house("alias", "list", "--limit", "1", "--domain", "our.example", "--owner", ANN)
    assert first.stderr == "there may be more: --after 1\n"
    assert "sales@our.example" in first.stdout
    rest = house("alias", "list", "--limit", "2", "--after", "1")
    assert rest.stderr == ""
    assert "two@our.example" in rest.stdout


def test_the_first_mailbox_takes_the_roles(smtpy: Run) -> None:
    smtpy("user", "add", ANN)
    smtpy("domain", "add", "our.example", "--owner", ANN)
    assert read(smtpy, "domain", "show", "our.example")["role_mailbox"] is None
    smtpy("mailbox", "add", INBOX, "--owner", ANN)
    smtpy("domain", "add", "second.example", "--owner", ANN)
    assert [domain["role_mailbox"] for domain in read(smtpy, "domain", "list")] == [INBOX, INBOX]
    assert read(smtpy, "mailbox", "show", INBOX)["verified_at"] is not None
