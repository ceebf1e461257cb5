"""The load is the same for all, and the aliases it goes to exist."""

import sqlite3
from email import message_from_bytes
from pathlib import Path

import pytest

from bench.__main__ import options
from bench.latency import message, recipients
from bench.seed import seed
from bench.stacks import DOMAIN, aliases
from bench.throughput import Load
from smtpy.store import migrate
from smtpy.store.directory import SqlDirectory
from smtpy.store.engine import open_engine

MAILBOXES = ["one@inbox.example", "two@inbox.example", "three@inbox.example"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "smtpy.db"
    engine = open_engine(f"sqlite:///{path}", create=True)
    migrate.upgrade(engine)
    engine.dispose()
    seed(path, 1000, DOMAIN, MAILBOXES)
    return path


def test_smtpy_and_its_peers_know_the_same_aliases(directory: Path) -> None:
    with sqlite3.connect(directory) as connection:
        found = connection.execute(
            "SELECT local, mailboxes.address FROM aliases JOIN alias_mailboxes ON aliases.id = alias_id"
            " JOIN mailboxes ON mailboxes.id = mailbox_id ORDER BY aliases.id"
        ).fetchall()
    connection.close()
    assert [local for local, _ in found] == [local for local, _ in aliases(1000)]
    assert [mailbox for _, mailbox in found] == [MAILBOXES[number % 3] for number in range(1000)]


def test_a_copied_alias_is_one_like_any_other(directory: Path) -> None:
    engine = open_engine(f"sqlite:///{directory}")
    asked = SqlDirectory(engine)
    domain = asked.domain(DOMAIN)
    assert domain is not None
    found = [asked.alias(domain, local) for local in ("alias", "1alias", "999alias")]
    engine.dispose()
    assert [each and each.off for each in found] == [None, None, None]
    assert [each and each.mailboxes for each in found] == [(MAILBOXES[0],), (MAILBOXES[1],), (MAILBOXES[0],)]
    assert len({each.uuid for each in found if each}) == 3


def test_recipients_are_spelled_as_smtp_source_does() -> None:
    assert recipients(Load(1024, 3, 1), 7) == [f"{each}@{DOMAIN}" for each in ("3alias", "2alias", "alias")]
    assert recipients(Load(1024, 1, 1), 7) == [f"alias@{DOMAIN}"]


def test_each_its_own_means_no_alias_twice() -> None:
    load = Load(1024, 3, 1, each_its_own=True)
    used = [each for number in range(100) for each in recipients(load, number)]
    assert len(set(used)) == len(used) == 300
    assert set(used) <= {f"{local}@{DOMAIN}" for local, _ in aliases(10_000)}


@pytest.mark.parametrize("size", [1024, 5120, 51200])
def test_a_message_has_its_size_and_ends_with_a_dot(size: int) -> None:
    text = message(size, 3)
    assert text.endswith(b"\r\n.\r\n")
    body = message_from_bytes(text[: -len(b".\r\n")]).get_payload(decode=True)
    assert isinstance(body, bytes)
    assert size - 80 < len(body) <= size


def test_quick_is_quicker_and_gives_way_to_what_is_asked() -> None:
    usual, quick, asked = options([]), options(["--quick"]), options(["--quick", "--count", "77", "--sizes", "1024"])
    assert (usual.rounds, quick.rounds) == (3, 1)
    assert quick.count < usual.count
    assert (asked.count, list(asked.sizes)) == (77, [1024])
