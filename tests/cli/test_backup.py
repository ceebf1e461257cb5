"""`smtpy backup` and `smtpy restore`, as somebody does it whose machine is gone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import Run, init, run

Key = tuple[Path, str]


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """The file of the secret half, and the line for smtpy.toml."""
    path = tmp_path / "key.txt"
    done = run("backup", "--new-key", str(path))
    assert done.exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    return path, next(line for line in done.output.splitlines() if line.startswith("backup_recipients"))


@pytest.fixture
def backup(house: Run, config: Path, key: Key, tmp_path: Path) -> Path:
    """A backup of Ann's house."""
    with config.open("a") as file:
        file.write(f"{key[1]}\nmax_hops = 25\n")
    path = tmp_path / "house.age"
    done = house("backup", str(path))
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"wrote {path}: ")
    return path


@pytest.fixture
def restore(backup: Path, key: Key) -> Callable[..., Result]:
    """`smtpy --config FILE restore BACKUP --identity KEY`."""
    return lambda config, *words: run(
        "--config", str(config), "restore", str(backup), "--identity", str(key[0]), *words
    )


def test_a_lost_machine_comes_back(restore: Callable[..., Result], house: Run, config: Path, tmp_path: Path) -> None:
    before = [house(*words).output for words in (("alias", "list", "--json"), ("key", "list", "--json"))]
    secrets = {each.name: each.read_text() for each in (config.parent / "secrets").iterdir()}
    for folder in ("etc", "state", "run"):
        (tmp_path / folder).rename(tmp_path / f"lost-{folder}")
    done = restore(config)
    assert done.exit_code == 0, done.output
    assert [house(*words).output for words in (("alias", "list", "--json"), ("key", "list", "--json"))] == before
    assert {each.name: each.read_text() for each in (config.parent / "secrets").iterdir()} == secrets
    assert "max_hops = 25" in config.read_text()
    assert house("config", "check").exit_code == 0
    assert (tmp_path / "state" / "smtpy.db").stat().st_mode & 0o007 == 0


def test_a_password_in_a_url_comes_back_where_nobody_reads_it(
    house: Run, config: Path, key: Key, tmp_path: Path
) -> None:
    """The configuration is for everybody to read, and so it does not get what was in a file of its own."""
    (tmp_path / "limits_url").write_text("redis://:hush@cache.example:6379")
    with config.open("a") as file:
        file.write(f'{key[1]}\nlimits_url_file = "{tmp_path}/limits_url"\n')
    assert house("backup", str(tmp_path / "house.age")).exit_code == 0
    (tmp_path / "state").rename(tmp_path / "lost-state")
    new = tmp_path / "new" / "smtpy.toml"
    done = run("--config", str(new), "restore", str(tmp_path / "house.age"), "--identity", str(key[0]))
    assert done.exit_code == 0, done.output
    assert "hush" not in new.read_text()
    secret = new.parent / "secrets" / "limits_url"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("redis://:hush@cache.example:6379\n", 0o600)
    assert run("--config", str(new), "config", "check").exit_code == 0


def test_a_database_that_somebody_is_in_is_not_touched(
    restore: Callable[..., Result], house: Run, config: Path
) -> None:
    house("user", "add", "bob@inbox.example")
    done = restore(config)
    assert (done.exit_code, done.stderr) == (73, "smtpy: there are people in the database already; name an empty one\n")
    assert "bob@inbox.example" in house("user", "list").output


def test_other_secrets_are_not_written_over(restore: Callable[..., Result], tmp_path: Path) -> None:
    other = tmp_path / "other" / "etc" / "smtpy.toml"
    assert init(other).exit_code == 0
    before = (other.parent / "secrets" / "secret_keys").read_text()
    done = restore(other)
    assert done.exit_code == 78
    assert "the secret_keys in force are not those of the backup" in done.stderr
    assert (other.parent / "secrets" / "secret_keys").read_text() == before


def test_a_dry_run_only_looks(restore: Callable[..., Result], tmp_path: Path) -> None:
    done = restore(tmp_path / "new" / "smtpy.toml", "--dry-run")
    assert done.exit_code == 0
    assert " rows" in done.output
    assert not (tmp_path / "new").exists()


def test_a_harmed_backup_changes_nothing(restore: Callable[..., Result], backup: Path, tmp_path: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-1])
    done = restore(tmp_path / "new" / "smtpy.toml")
    assert (done.exit_code, done.stderr) == (65, f"smtpy: {backup} cannot be read: it is damaged, or was cut off\n")
    assert not (tmp_path / "new").exists()


def test_the_wrong_key_is_said_to_be_wrong(backup: Path, tmp_path: Path) -> None:
    run("backup", "--new-key", str(tmp_path / "other.txt"))
    done = run("restore", str(backup), "--identity", str(tmp_path / "other.txt"))
    assert (done.exit_code, done.stderr) == (65, f"smtpy: {backup} cannot be read: it is sealed for another key\n")
    done = run("restore", str(backup), "--identity", str(backup))
    assert (done.exit_code, done.stderr) == (65, f"smtpy: {backup} has no key of age in it (AGE-SECRET-KEY-...)\n")


def test_without_a_key_there_is_no_backup(smtpy: Run, tmp_path: Path) -> None:
    done = smtpy("backup", str(tmp_path / "a.age"))
    assert done.exit_code == 78
    assert "backup_recipients names no key; see --new-key" in done.stderr
    assert not (tmp_path / "a.age").exists()


def test_a_key_is_not_written_over(key: Key) -> None:
    before = key[0].read_text()
    done = run("backup", "--new-key", str(key[0]))
    assert (done.exit_code, done.stderr) == (73, f"smtpy: {key[0]}: File exists; nothing was written\n")
    assert key[0].read_text() == before


def test_a_folder_needs_a_key(smtpy: Run, config: Path, tmp_path: Path) -> None:
    with config.open("a") as file:
        file.write(f'backup_dir = "{tmp_path}"\n')
    assert "say for which keys, by backup_recipients" in smtpy("config", "check").stderr


def test_what_is_no_key_is_refused(smtpy: Run, config: Path) -> None:
    with config.open("a") as file:
        file.write('backup_recipients = ["age1xyz"]\n')
    assert "a key for backups is age1..." in smtpy("config", "check").stderr
