"""`smtpy key` as people use it: a domain's first pair, the next one, and a lost encryption key."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from smtpy.cli.keys import COLUMNS
from tests.cli.conftest import ANN, Run

OUR = "our.example"


def listed(smtpy: Run, *words: str) -> list[dict[str, Any]]:
    done = smtpy("key", "list", *words, "--json")
    assert done.exit_code == 0, done.output
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def states(smtpy: Run) -> list[tuple[str, str]]:
    """(the selector without the day, state) of all keys, by selector."""
    return sorted((re.sub("[0-9]{8}-", "", row["selector"]), row["state"]) for row in listed(smtpy, OUR))


def selector(smtpy: Run, letter: str) -> str:
    """That of the oldest key of the kind."""
    return str(min(row["selector"] for row in listed(smtpy, OUR) if row["selector"].startswith(letter)))


def lose_the_key(config: Path) -> None:
    (config.parent / "secrets" / "encryption_keys").write_text("x" * 64)


def test_a_pair_and_the_next_one(house: Run) -> None:
    assert states(house) == [("e1", "waiting"), ("r1", "waiting")]
    done = house("key", "use", OUR, "--now")
    assert (done.exit_code, re.sub("[0-9]{8}-", "", done.output)) == (0, f"r1 and e1 of {OUR} sign from now on\n")
    done = house("key", "rotate", OUR)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()[1:]
    assert [re.fullmatch(rf"[re]\d+-2\._domainkey\.{OUR} TXT v=DKIM1; k=\w+; p=\S+", line) for line in lines]
    assert [row["record"] for row in listed(house, OUR)[:2]] == [line.partition(" TXT ")[2] for line in lines[::-1]]
    assert house("key", "use", OUR, "--now").exit_code == 0
    assert states(house) == [("e1", "retired"), ("e2", "used"), ("r1", "retired"), ("r2", "used")]


def test_the_table(house: Run) -> None:
    table = house("key", "list").output
    assert table.split()[:8] == list(COLUMNS)
    assert table.count("waiting") == 2
    done = house("key", "list", "--limit", "1")
    assert "there may be more: --after 1" in done.output
    assert [row["id"] for row in listed(house, "--after", "1")] == [2]


def test_retired_and_deleted(house: Run) -> None:
    house("key", "use", OUR, "--now")
    ed25519 = selector(house, "e")
    done = house("key", "delete", OUR, ed25519)
    assert (done.exit_code, "Retire it first" in done.output) == (os.EX_UNAVAILABLE, True)
    assert house("key", "retire", OUR, ed25519).output == f"key {ed25519} of {OUR} is retired\n"
    done = house("key", "retire", OUR, selector(house, "r"))
    assert (done.exit_code, "only key that signs" in done.output) == (os.EX_UNAVAILABLE, True)
    assert f"take {ed25519}._domainkey.{OUR} out of DNS" in house("key", "delete", OUR, ed25519).output
    assert states(house) == [("r1", "used")]


REFUSED = {
    f"use {OUR}": (os.EX_USAGE, f"smtpy domain check {OUR}"),
    f"rotate {OUR}": (os.EX_UNAVAILABLE, "waits to be seen in DNS"),
    "rotate other.example": (os.EX_NOUSER, "Add it first"),
    "list other.example": (os.EX_NOUSER, "Add it first"),
    f"retire {OUR} none": (os.EX_NOUSER, f"smtpy key list {OUR}"),
}


@pytest.mark.parametrize(("words", "code", "said"), [(words, *rest) for words, rest in REFUSED.items()])
def test_refusals(house: Run, words: str, code: int, said: str) -> None:
    done = house("key", *words.split())
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_a_lost_encryption_key_is_not_silent(house: Run, config: Path) -> None:
    house("key", "use", OUR, "--now")
    assert [row["opens"] for row in listed(house)] == [True, True]
    assert "ok    keys: encryption_keys open all signing keys" in house("doctor").output
    lose_the_key(config)
    assert [row["opens"] for row in listed(house)] == [False, False]
    said = house("doctor").output
    assert f"ERROR keys: encryption_keys do not open 2 signing keys, so mail goes out unsigned from {OUR};" in said
    assert "`smtpy key rotate`" in said
    done = house("secret", "reseal")
    assert done.output.splitlines() == ["sealed 0 anew", "cannot be opened: 2 keys; `smtpy doctor` says more"]
    assert house("key", "rotate", OUR).exit_code == 0
    assert house("key", "use", OUR, "--now").exit_code == 0
    assert "ok    keys: encryption_keys open all signing keys" in house("doctor").output


def test_ed25519_is_not_left_alone(house: Run) -> None:
    house("key", "use", OUR, "--now")
    rsa, ed25519 = selector(house, "r"), selector(house, "e")
    done = house("key", "retire", OUR, rsa)
    assert (done.exit_code, f"{rsa} is the only RSA key that signs for {OUR}" in done.output) == (
        os.EX_UNAVAILABLE,
        True,
    )
    house("key", "rotate", OUR)
    waiting = [row["selector"] for row in listed(house, OUR) if row["state"] == "waiting"]
    done = house("key", "retire", OUR, max(waiting))  # or the other one would take the place of the pair
    assert (done.exit_code, f"Retire {min(waiting)} before it" in done.output) == (os.EX_UNAVAILABLE, True)
    for each in (*sorted(waiting), ed25519):
        assert house("key", "retire", OUR, each).exit_code == 0
    assert states(house) == [("e1", "retired"), ("e2", "retired"), ("r1", "used"), ("r2", "retired")]


def test_what_never_signed_need_not_stay(house: Run) -> None:
    ed25519, rsa = selector(house, "e"), selector(house, "r")
    for each in (ed25519, rsa):
        said = f"key {each} of {OUR} is retired; nothing was ever signed with it, so take {each}._domainkey.{OUR} out"
        assert house("key", "retire", OUR, each).output.startswith(said)
        assert each not in house("domain", "dns", OUR).output


def test_no_secret_is_shown(house: Run, config: Path) -> None:
    secret = (config.parent / "secrets" / "encryption_keys").read_text().strip()
    said = "".join(house(*words).output for words in (("key", "list", "--json"), ("config", "show"), ("doctor",)))
    assert secret not in said
    assert "private" not in said


def test_a_domain_without_keys_gets_some(house: Run) -> None:
    """As those have that are older than this version: they have no pair."""
    house("domain", "add", "late.example", "--owner", ANN)
    for row in listed(house, "late.example"):
        house("key", "retire", "late.example", row["selector"])
        house("key", "delete", "late.example", row["selector"])
    assert listed(house, "late.example") == []
    assert house("key", "rotate", "late.example").exit_code == 0
    assert len(listed(house, "late.example")) == 2


@pytest.mark.parametrize("choice", ["on-reject", "on-quarantine"])
def test_what_is_done_where_dmarc_fails(house: Run, choice: str) -> None:
    def chosen() -> object:
        done = house("domain", "show", OUR, "--json")
        return json.loads(done.stdout)[choice.replace("-", "_")]

    assert chosen() == {"on-reject": "refuse", "on-quarantine": "tag"}[choice]
    for value in ("hold", "deliver", "tag", "refuse"):
        assert house("domain", "set", OUR, f"--{choice}", value).exit_code == 0
        assert chosen() == value
    assert house("domain", "set", OUR, f"--{choice}", "none").exit_code == os.EX_USAGE
    made = house("domain", "add", "new.example", "--owner", ANN, f"--{choice}", "hold")
    assert made.exit_code == 0, made.output
