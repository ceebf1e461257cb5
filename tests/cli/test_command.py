"""The command as such: it starts light, its exit codes are those of sysexits(3), its errors name the fix."""

import os
import signal
import stat
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import make_url

from smtpy.cli import COMMANDS, main
from tests.cli.conftest import Run, init, process, run
from tests.postgres import Postgres
from tests.stand import until

HEAVY = ("sqlalchemy", "pydantic", "alembic", "psycopg", "Milter", "asyncio", "re2")


@pytest.mark.parametrize("words", [["--help"], ["--version"]], ids=" ".join)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    program = f"""
import sys
from smtpy.cli import main
try:
    main({words!r})
except SystemExit as end:
    assert end.code == 0, end.code
print("loaded:", *sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_the_command_says(name: str) -> None:
    module, words = COMMANDS[name]
    command = getattr(import_module(f"smtpy.cli.{module}"), f"{name}_command")
    assert command.name == name
    assert command.get_short_help_str(200).rstrip(".") == words.rstrip(".")
    shown = run(name, "--help")
    assert shown.exit_code == 0
    assert "Usage:" in shown.output


def test_every_subcommand_has_help() -> None:
    context = main.make_context("smtpy", ["config"], resilient_parsing=True)
    for name in COMMANDS:
        group = main.get_command(context, name)
        for sub in getattr(group, "commands", {}):
            assert run(name, sub, "--help").exit_code == 0, (name, sub)


USAGE = (
    ("nonsense",),
    ("--nonsense",),
    ("alias", "add"),
    ("alias", "list", "--limit", "0"),
    ("user", "add", "a@b.example", "--role", "king"),
    ("milter", "--workers", "0"),
)


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_wrong_use_is_ex_usage(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.exit_code == os.EX_USAGE
    assert "Usage:" in done.output


@pytest.mark.parametrize("command", ["lookup", "policy", "milter", "resolve", "log", "alias"])
def test_bad_settings_are_ex_config_with_their_names(tmp_path: Path, command: str) -> None:
    path = tmp_path / "smtpy.toml"
    path.write_text('hostname = "a b"\nmax_hop = 3\n')
    words = {"resolve": ["a@b.example"], "alias": ["list"]}.get(command, [])
    done = process("--config", str(path), command, *words)
    assert done.returncode == os.EX_CONFIG
    assert "smtpy init" in done.stderr
    for key in ("hostname", "max_hop", "postmaster", "secret_keys", "srs_secrets", "encryption_keys"):
        assert f"smtpy: {key}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_configuration_by_the_environment(config: Path) -> None:
    done = process("config", "check", environ={"SMTPY_CONFIG": str(config)})
    assert (done.returncode, done.stdout) == (0, "the settings of mx.our.example are good\n")


# --- init ------------------------------------------------------------------------------------------------------------


def test_init_makes_a_closed_house(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "smtpy.toml"
    done = init(path)
    assert done.exit_code == 0, done.output
    assert "created the database" in done.output
    modes = {
        tmp_path / "state" / "smtpy.db": 0o640,
        path: 0o644,
        path.parent / "secrets": 0o700,
        path.parent / "secrets" / "secret_keys": 0o600,
        path.parent / "secrets" / "srs_secrets": 0o600,
        path.parent / "secrets" / "encryption_keys": 0o600,
    }
    assert {each: stat.S_IMODE(each.stat().st_mode) for each in modes} == modes
    assert process("--config", str(path), "config", "check").returncode == 0


def test_init_again_keeps_everything(config: Path) -> None:
    def contents() -> dict[Path, bytes]:
        return {each: each.read_bytes() for each in config.parent.rglob("*") if each.is_file()}

    before = contents()
    for words in (("init", "--config", str(config)), ("--config", str(config), "init", "--hostname", "mx.our.example")):
        done = run(*words)
        assert done.exit_code == 0, done.output
        assert f"kept {config} and its secrets" in done.output
        assert "up to date" in done.output
    assert contents() == before


@pytest.mark.parametrize("end", ["\n", ""], ids=["whole last line", "open last line"])
def test_init_again_adds_a_secret_that_an_older_version_did_not_need(config: Path, end: str) -> None:
    secret = config.parent / "secrets" / "encryption_keys"
    line = 'encryption_keys_file = "secrets/encryption_keys"'
    older = config.read_text().replace(line + "\n", "").rstrip("\n") + end
    config.write_text(older)
    config.chmod(0o600)
    secret.unlink()
    assert run("--config", str(config), "config", "check").exit_code == os.EX_CONFIG
    done = run("init", "--config", str(config))
    assert (done.exit_code, "added encryption_keys" in done.output) == (0, True), done.output
    assert config.read_text() == older.rstrip("\n") + f"\n{line}\n"
    assert stat.S_IMODE(config.stat().st_mode) == stat.S_IMODE(secret.stat().st_mode) == 0o600
    made = secret.read_text()
    assert "added" not in run("init", "--config", str(config)).output
    assert secret.read_text() == made


def test_init_again_leaves_a_secret_to_the_environment(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = config.read_text().replace('encryption_keys_file = "secrets/encryption_keys"\n', "")
    config.write_text(older)
    monkeypatch.setenv("SMTPY_ENCRYPTION_KEYS", "k" * 40)
    assert run("init", "--config", str(config)).exit_code == 0
    assert config.read_text() == older


def test_secrets_differ_from_house_to_house(tmp_path: Path) -> None:
    made = set()
    for name in ("a", "b"):
        init(tmp_path / name / "etc" / "smtpy.toml")
        made |= {each.read_text() for each in (tmp_path / name / "etc" / "secrets").iterdir()}
    assert len(made) == 6


def test_init_refuses_what_contradicts_the_file(config: Path) -> None:
    before = config.read_bytes()
    for words in (("--hostname", "other.example"), ("--database-url", "sqlite:////srv/other.db")):
        done = run("init", "--config", str(config), *words)
        assert done.exit_code == os.EX_CONFIG
        assert "edit the file" in done.output
    assert config.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--hostname", "mx.our.example"), "takes --postmaster"),
        (("--hostname", "a b", "--postmaster", "p@inbox.example"), "hostname"),
        (("--hostname", "mx.our.example", "--postmaster", "p@mx.our.example"), "elsewhere"),
        (("--hostname", "mx.our.example", "--postmaster", "p@inbox.example", "--database-url", "x://"), "sqlite:"),
    ],
)
def test_init_refuses_bad_values_before_it_writes(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run("init", "--config", str(tmp_path / "etc" / "smtpy.toml"), *words)
    assert done.exit_code == os.EX_USAGE
    assert said in done.output
    assert not (tmp_path / "etc").exists()


def test_init_keeps_a_database_password_out_of_the_open_file(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "smtpy.toml"
    url = f"postgresql://smtpy:hunter2@localhost:1/none?host={tmp_path}"
    done = init(path, "--database-url", url)
    assert done.exit_code == os.EX_TEMPFAIL  # there is no such server
    assert "does not answer" in done.output
    assert "hunter2" not in path.read_text() + done.output
    secret = path.parent / "secrets" / "database_url"
    assert (secret.read_text().strip(), stat.S_IMODE(secret.stat().st_mode)) == (url, 0o600)
    shown = run("--config", str(path), "config", "show")
    assert "hunter2" not in shown.output
    assert "postgresql://smtpy:**********@localhost:1/none" in shown.output


def test_init_where_nobody_can_write(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file, not a folder")
    done = init(tmp_path / "etc" / "smtpy.toml")
    assert done.exit_code == os.EX_CANTCREAT
    assert str(tmp_path / "etc") in done.output


# --- config ----------------------------------------------------------------------------------------------------------


def test_config_show_tells_all_but_the_secrets(smtpy: Run, config: Path) -> None:
    for words in ((), ("--json",)):
        shown = smtpy("config", "show", *words).output
        assert "mx.our.example" in shown
        for secret in (config.parent / "secrets").iterdir():
            assert secret.read_text().strip() not in shown


# --- database trouble ------------------------------------------------------------------------------------------------


def test_database_that_is_not_there(smtpy: Run, config: Path) -> None:
    (config.parent.parent / "state" / "smtpy.db").unlink()
    for words in (["alias", "list"], ["user", "add", "a@b.example"], ["resolve", "a@b.example"], ["log"]):
        done = smtpy(*words)
        assert (done.exit_code, "smtpy init" in done.output) == (os.EX_CONFIG, True), (words, done.output)


def test_database_without_tables(smtpy: Run, config: Path) -> None:
    database = config.parent.parent / "state" / "smtpy.db"
    database.write_bytes(b"")
    done = smtpy("alias", "list")
    assert (done.exit_code, "smtpy init" in done.output) == (os.EX_CONFIG, True)


def test_database_that_is_no_database(smtpy: Run, config: Path) -> None:
    (config.parent.parent / "state" / "smtpy.db").write_bytes(b"no database at all" * 100)
    done = smtpy("alias", "list")
    assert (done.exit_code, "no SQLite database" in done.output) == (os.EX_CONFIG, True)


def test_database_that_is_locked(config: Path) -> None:
    import sqlite3

    with sqlite3.connect(config.parent.parent / "state" / "smtpy.db", isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        environ = {"SMTPY_DEADLINE_SECONDS": "0.2"}
        done = process("--config", str(config), "user", "add", "a@b.example", environ=environ)
        listed = process("--config", str(config), "user", "list", environ=environ)
    holder.close()
    assert (done.returncode, "try again" in done.stderr) == (os.EX_TEMPFAIL, True)
    assert "Traceback" not in done.stderr
    assert listed.returncode == 0  # readers do not wait for writers


def test_postgresql_without_tables_with_them_and_stopped(tmp_path: Path, postgres: Postgres) -> None:
    path = tmp_path / "etc" / "smtpy.toml"
    url = postgres.new_database()
    assert init(path, "--database-url", url).exit_code == 0

    def listed() -> tuple[int, str]:
        done = run("--config", str(path), "user", "list")
        return done.exit_code, done.output

    assert run("--config", str(path), "user", "add", "ann@people.example").exit_code == 0
    assert "ann@people.example" in listed()[1]
    postgres.run("DROP TABLE audit, users CASCADE", make_url(url).database or "")
    code, said = listed()
    assert (code, "smtpy init" in said) == (os.EX_CONFIG, True)
    postgres.stop()
    code, said = listed()
    assert (code, "does not answer" in said) == (os.EX_TEMPFAIL, True)


# --- services --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["lookup", "policy", "milter"])
def test_a_service_logs_ready_and_ends_cleanly(config: Path, service: str) -> None:
    command = [str(Path(sys.executable).parent / "smtpy"), "--config", str(config), service]
    log = config.parent / f"{service}.log"
    with log.open("wb") as out:
        running = subprocess.Popen(command, stderr=out, stdout=out, env={**os.environ, "SMTPY_LOG_LEVEL": "debug"})
    try:
        until(lambda: "ready" in log.read_text() or running.poll() is not None, "ready")
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0, log.read_text()
    finally:
        running.kill()
        running.wait()
    first = log.read_text().splitlines()[0].split()
    assert first[0].endswith("Z")
    assert first[2] == f"{service}:"
    for secret in (config.parent / "secrets").iterdir():
        assert secret.read_text().strip() not in log.read_text()


@pytest.mark.parametrize("service", ["lookup", "policy", "milter"])
def test_a_service_that_cannot_listen_says_so(config: Path, service: str) -> None:
    (config.parent.parent / "run").rmdir()
    done = process("--config", str(config), service)
    assert done.returncode == os.EX_UNAVAILABLE
    assert "run_dir" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_environment_says_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPY_HOSTNAME", "mx.our.example")
    monkeypatch.setenv("SMTPY_POSTMASTER", "postmaster@inbox.example")
    monkeypatch.setenv("SMTPY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SMTPY_RUN_DIR", str(tmp_path / "run"))
    path = tmp_path / "etc" / "smtpy.toml"
    assert run("init", "--config", str(path)).exit_code == 0
    assert "mx.our.example" not in path.read_text()
    assert run("--config", str(path), "config", "check").stdout == "the settings of mx.our.example are good\n"
    assert run("init", "--config", str(path)).exit_code == 0
    monkeypatch.setenv("SMTPY_HOSTNAME", "[192.0.2.1]")
    assert run("init", "--config", str(tmp_path / "other" / "smtpy.toml")).exit_code == 64
