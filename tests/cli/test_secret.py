"""`smtpy secret` as people use it: the life of a secret from its making to its end."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from smtpy.cli.files import write_whole
from smtpy.cli.secret import OCTETS, fingerprint
from smtpy.config import load
from smtpy.srs import BadReturnAddress
from smtpy.terms import srs_of
from tests.cli.conftest import Run, run

DAY = 86_400


@pytest.fixture
def secrets(config: Path) -> Path:
    return config.parent / "secrets"


def listed(smtpy: Run, name: str) -> list[str]:
    rows: list[dict[str, Any]] = json.loads(smtpy("secret", "list", "--json").stdout)
    assert next(row["use"] for row in rows if row["name"] == name) == "used"
    return [row["fingerprint"] for row in rows if row["name"] == name]


def age(path: Path, days: int) -> None:
    os.utime(path, (then := time.time() - days * DAY, then))


def test_the_table_tells_no_secret(smtpy: Run, secrets: Path) -> None:
    said = smtpy("secret", "list").output
    assert [line.split()[0] for line in said.splitlines()[1:]] == list(OCTETS)
    for name in OCTETS:
        secret = (secrets / name).read_text().strip()
        assert fingerprint(secret) in said
        assert secret[:12] not in said


def test_from_one_secret_to_the_next_no_return_address_is_lost(smtpy: Run, config: Path, secrets: Path) -> None:
    path = secrets / "srs_secrets"
    old, day = srs_of(load(config, {})), 20_000
    address = old.forward("bob", "far.example", day)

    smtpy("secret", "add", "srs_secrets")
    first, second = listed(smtpy, "srs_secrets")
    known = srs_of(load(config, {}))
    assert known.forward("bob", "far.example", day) == address  # it is known, and not used

    done = smtpy("secret", "use", "srs_secrets", second)
    assert (done.exit_code, listed(smtpy, "srs_secrets")) == (0, [second, first])
    used = srs_of(load(config, {}))
    made = used.forward("bob", "far.example", day)
    assert made != address
    assert known.reverse(made, day) == used.reverse(made, day) == used.reverse(address, day) == "bob@far.example"

    done = smtpy("secret", "retire", "srs_secrets", first)
    assert (done.exit_code, "may still come back by it; wait until" in done.output) == (os.EX_UNAVAILABLE, True)
    age(path, 22)
    assert smtpy("secret", "retire", "srs_secrets", first).exit_code == 0
    assert listed(smtpy, "srs_secrets") == [second]
    with pytest.raises(BadReturnAddress):
        srs_of(load(config, {})).reverse(address, day)


def test_an_encryption_key_goes_once_nothing_is_sealed_with_it(house: Run) -> None:
    assert house("secret", "add", "encryption_keys", "--use").exit_code == 0
    second, first = listed(house, "encryption_keys")
    done = house("secret", "retire", "encryption_keys", first)
    said = "smtpy: 2 secrets are sealed with it; run `smtpy secret reseal`\n"
    assert (done.exit_code, done.output) == (os.EX_UNAVAILABLE, said)
    assert house("secret", "reseal").output == "sealed 2 anew\n"
    assert house("secret", "retire", "encryption_keys", first).exit_code == 0
    assert listed(house, "encryption_keys") == [second]
    assert "ok    keys: encryption_keys open all signing keys" in house("doctor").output


def test_the_one_in_use_is_not_taken_away(smtpy: Run) -> None:
    (only,) = listed(smtpy, "secret_keys")
    done = smtpy("secret", "retire", "secret_keys", only, "--now")
    assert (done.exit_code, "is used; add another one" in done.output) == (os.EX_UNAVAILABLE, True)


def test_one_that_is_not_there_is_named(smtpy: Run) -> None:
    done = smtpy("secret", "use", "srs_secrets", "0123abcd")
    assert done.exit_code == os.EX_DATAERR
    assert f"none of fingerprint 0123abcd; there are {listed(smtpy, 'srs_secrets')[0]}" in done.output


def test_what_stands_elsewhere_is_changed_there(smtpy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPY_SRS_SECRETS", f"{'a' * 24} {'b' * 24}")
    assert listed(smtpy, "srs_secrets") == [fingerprint("a" * 24), fingerprint("b" * 24)]
    done = smtpy("secret", "add", "srs_secrets")
    said = "smtpy: SMTPY_SRS_SECRETS is no file of secrets; change it where it stands\n"
    assert (done.exit_code, done.output) == (os.EX_UNAVAILABLE, said)


def test_owner_and_mode_stay_and_what_cannot_be_written_is_as_before(smtpy: Run, secrets: Path) -> None:
    path = secrets / "srs_secrets"
    path.chmod(0o440)
    if os.geteuid() == 0:
        os.chown(path, 65_534, 65_534)
    before = path.stat()
    smtpy("secret", "add", "srs_secrets")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert sorted(each.name for each in secrets.iterdir()) == sorted(OCTETS)


def test_what_was_not_written_is_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "secret", "s" * 24, 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_bad_settings_are_refused_first(tmp_path: Path) -> None:
    (tmp_path / "smtpy.toml").write_text('hostname = "mx.our.example"\n')
    assert run("--config", str(tmp_path / "smtpy.toml"), "secret", "list").exit_code == os.EX_CONFIG
