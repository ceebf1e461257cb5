"""doctor on a whole SMTPy that works, and on each thing that can be wrong with one."""

import json
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtpy.backup.keeping import name_of
from smtpy.cli.doctor import SUBJECTS
from smtpy.config import load
from smtpy.doctor import upkeep
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.reach import ENTER, READ, WRITE, Person
from smtpy.doctor.rounds import CHECKS
from smtpy.store.engine import open_engine
from smtpy.store.happenings import Position, keep
from smtpy.store.leases import leave, take
from smtpy.worker.duties import CHECKING
from tests.cli.conftest import ANN, Run, run
from tests.dns import Zone
from tests.nameserver import Nameserver, silence
from tests.stand import HOSTNAME, Stand


def findings(smtpy: Run, *words: str) -> dict[str, list[tuple[int, str]]]:
    """Codes and words by subject."""
    found: dict[str, list[tuple[int, str]]] = {}
    for each in json.loads(smtpy("doctor", "--json", *words).stdout):
        assert each["code"] == 0 or each["fix"], each
        found.setdefault(each["subject"], []).append((each["code"], each["words"]))
    return found


OURS = [each for each in SUBJECTS if each not in ("clock", "disk")]  # the others are about the machine of the tests


def test_all_is_well_with_a_whole_installation(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPY_DNS_SERVERS", stand.environ["SMTPY_DNS_SERVERS"])
    monkeypatch.setitem(stand.zone.names, HOSTNAME, {"A": ["127.0.0.1"]})
    stand.start("queue")
    try:
        all_is_well(stand)
    finally:
        stand.stop("queue")


def all_is_well(stand: Stand) -> None:
    done = run("--config", str(stand.config), "doctor", *OURS, "--postfix", str(stand.etc))
    assert done.exit_code == 0, done.output
    assert {line.partition(" ")[0] for line in done.output.splitlines()} == {"ok"}
    for words in (
        "lookup.sock answers",
        "policy.sock answers",
        "milter.sock answers",
        "queue.sock answers",
        "says what it must",
        f"smtpd at 127.0.0.1:{stand.port} greets",
        f"smtpd at 127.0.0.1:{stand.split_port} greets",
        "mail leaves by [127.0.0.1]:",
    ):
        assert words in done.output
    assert done.output.count("user postfix reaches") == 3
    done = run("--config", str(stand.config), "doctor", "postfix", "--postfix", str(stand.etc.parent))
    assert done.exit_code == 0, done.output


# what postfix/instance wrote, with one line changed: the word that the finding must say
CHANGES = {
    "virtual_alias_maps =": "aliases lead nowhere",
    "virtual_alias_domains =": "not ours",
    "smtpd_milters =": "fails SPF",
    "milter_default_action = accept": "unprocessed",
    "smtpd_recipient_restrictions =": "nothing is refused",
    "smtpd_relay_restrictions = permit": "open relay",
    "myhostname = other.example": "roles of the host",
    "mydestination = mx.our.example": "one domain has one class",
    "message_size_limit = 0": "what RCPT TO took",
    "message_size_limit = 99999999": "what RCPT TO took",
    "recipient_delimiter = +": "extensions are ours",
    "smtpd_forbid_bare_newline = no": "CVE-2023-51764",
    "smtpd_forbid_unauth_pipelining = no": "smuggling",
    "smtputf8_enable = no": "beyond ASCII",
    "enable_long_queue_ids = no": "queue ids come again",
    "smtpd_discard_ehlo_keywords =": "tell the mailbox",
    "smtp_discard_ehlo_keywords =": "ORCPT",
    "transport_maps =": "what owners drop",
    "split_destination_recipient_limit = 2": "one recipient at a time",
    "strict_rfc821_envelopes = no": "two addresses to two readers",
    "canonical_maps = static:x@y.example": "undo return addresses",
    "sender_canonical_maps = static:x@y.example": "undo return addresses",
    "recipient_canonical_maps = static:x@y.example": "undo return addresses",
    "swap_bangpath = yes": "become another",
    "allow_percent_hack = yes": "become another",
}


@pytest.fixture(scope="module")
def instance(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the stand's Postfix configuration, to be changed."""
    folder = tmp_path_factory.mktemp("postfix")
    for name in ("main.cf", "master.cf"):
        (folder / name).write_bytes((stand.etc / name).read_bytes())
    return folder


@pytest.mark.parametrize(("line", "words"), CHANGES.items(), ids=list(CHANGES))
def test_each_wrong_line_of_main_cf_is_found(stand: Stand, instance: Path, line: str, words: str) -> None:
    with changed(instance / "main.cf", lambda text: f"{text}\n{line}\n"):  # of two lines the later counts
        found = postfix_errors(stand, instance)
    assert {line.partition(" ")[0] for line, _ in found} == {line.partition(" ")[0]}
    assert any(words in said for _, said in found)


@contextmanager
def changed(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """The file with other contents for a while, and of old: Postfix waits for what is younger than a second."""
    original = path.read_text()
    try:
        path.write_text(change(original))
        os.utime(path, (0, 0))
        yield
    finally:
        path.write_text(original)
        os.utime(path, (0, 0))


def postfix_errors(stand: Stand, folder: Path) -> list[tuple[str, str]]:
    """The names that are not as needed, with what was said."""
    done = run("--config", str(stand.config), "doctor", "postfix", "--json", "--postfix", str(folder))
    wrong = [each for each in json.loads(done.stdout) if each["code"]]
    assert done.exit_code == (os.EX_CONFIG if wrong else 0)
    return [(each["words"].partition(": ")[2], each["words"]) for each in wrong]


LIMIT = "  -o message_size_limit=0\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("milter_macro_daemon_name=split", "milter_macro_daemon_name=other", "milter_macro_daemon_name is not split"),
        ("no_address_mappings", "no_milters", "receive_override_options is not no_address_mappings"),
        ("relay_domains=split.invalid", "relay_domains=", "relay_domains is not split.invalid"),
        (
            f"{LIMIT}  -o cleanup_service_name",
            "  -o cleanup_service_name",
            "message_size_limit is not 0: a copy is larger",
        ),
        ("  -o cleanup_service_name=cleanup-split\n", "", "cleanup_service_name is not cleanup-split"),
        ("=cleanup-split\n", "=cleanup\n", "cleanup_service_name is not cleanup-split"),
        (f"{LIMIT}  -o hopcount_limit", "  -o hopcount_limit", "cleanup-split/unix: message_size_limit is not 0"),
        ("hopcount_limit=100\n", "hopcount_limit=50\n", "cleanup-split/unix: hopcount_limit is not 100"),
        ("cleanup             unix  n       -      n", "cleanup             unix  n       -      y", "chrooted"),
    ],
)
def test_each_wrong_line_of_master_cf_is_found(stand: Stand, instance: Path, old: str, new: str, words: str) -> None:
    assert (instance / "master.cf").read_text().count(old) == 1
    with changed(instance / "master.cf", lambda text: text.replace(old, new)):
        found = postfix_errors(stand, instance)
    assert len(found) == 1
    assert words in found[0][1]


def test_no_postfix_configuration(smtpy: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = findings(smtpy, "--postfix", str(tmp_path / "empty"))["postfix"]
    assert found[0][0] == os.EX_UNAVAILABLE


def test_services_that_are_not_there(smtpy: Run) -> None:
    found = findings(smtpy)
    for service in ("lookup", "policy", "milter"):
        ((code, words),) = found[service]
        assert (code, "does not answer" in words) == (os.EX_UNAVAILABLE, True)
    assert smtpy("doctor").exit_code == os.EX_UNAVAILABLE


def test_a_socket_is_asked_and_not_just_seen(stand: Stand, config: Path) -> None:
    """Here lookup's socket is policy's, which waits for a question that it understands."""
    text = config.read_text() + f'lookup_listen = ["unix:{stand.folder}/run/policy.sock"]\ndeadline_seconds = 0.2\n'
    config.write_text(text)
    ((code, words),) = findings(lambda *words: run("--config", str(config), *words))["lookup"]
    assert (code, "does not answer" in words) == (os.EX_UNAVAILABLE, True)


def test_a_dns_server_that_does_not_answer(smtpy: Run, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    assert [code for code, _ in findings(smtpy)["resolvers"]] == [os.EX_OK] * 2
    monkeypatch.setenv("SMTPY_DNS_TIMEOUT_SECONDS", "0.2")
    with silence() as (host, port), Nameserver(Zone({"": "REFUSED"})) as refusing:
        monkeypatch.setenv("SMTPY_DNS_SERVERS", f"{nobody} {host}:{port}")
        monkeypatch.setenv("SMTPY_CHECK_RESOLVERS", f"{nobody} {refusing.host}:{refusing.port}")
        began = time.monotonic()
        said = findings(smtpy)["resolvers"]
        assert time.monotonic() - began < 5
    assert [code for code, _ in said] == [os.EX_OK, WARNING, os.EX_OK, WARNING]
    assert said[1][1].startswith(f"{host}:{port} of dns_servers does not answer (")
    assert said[1][1].endswith("; each message may wait for it, up to 8 s")
    assert f"{refusing.host}:{refusing.port} of check_resolvers says REFUSED" in said[3][1]


def test_a_dns_server_that_does_not_validate(smtpy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Nameserver(Zone({}), validates=False) as server:
        for name in ("SMTPY_DNS_SERVERS", "SMTPY_CHECK_RESOLVERS"):
            monkeypatch.setenv(name, f"{server.host}:{server.port}")
        said = findings(smtpy, "resolvers")["resolvers"]
        assert server.asked == [("", "NS", "udp")] * 2
    assert [code for code, _ in said] == [WARNING, os.EX_OK]  # what the others say is looked at, not believed
    assert "dns_servers does not validate (DNSSEC)" in said[0][1]


def test_the_servers_of_the_system_are_asked(smtpy: Run, monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    monkeypatch.delenv("SMTPY_DNS_SERVERS")
    host, _, port = nobody.rpartition(":")
    monkeypatch.setattr("smtpy.doctor.resolvers.system_servers", lambda: ((host, int(port)),))
    assert (os.EX_OK, f"{nobody} of /etc/resolv.conf answers, and validates") in findings(smtpy)["resolvers"]


def test_domains_whose_mail_goes_out_unsigned(house: Run) -> None:
    for number in range(6):
        house("domain", "add", f"d{number}.example", "--owner", ANN)
    words = "no key is in use for 7 domains, whose mail goes out unsigned: our.example, d0.example, d1.example"
    assert any(code == WARNING and said.startswith(words) for code, said in findings(house)["keys"])
    for name in ("our.example", *(f"d{number}.example" for number in range(6))):
        house("key", "use", name, "--now")
    assert [code for code, _ in findings(house)["keys"]] == [os.EX_OK]


def test_a_worker_that_does_not_run(house: Run, config: Path) -> None:
    ((code, words),) = findings(house)["worker"]
    assert (code, "has never run" in words) == (WARNING, True)
    engine = open_engine(f"sqlite:///{config.parent.parent}/state/smtpy.db")
    now = datetime.now(UTC)
    take(engine, CHECKING, "host:1", now - timedelta(hours=2), now - timedelta(minutes=1))
    assert findings(house)["worker"] == [(os.EX_OK, "`smtpy worker` looks after DNS and keys")]
    leave(engine, CHECKING, "host:1", now - timedelta(hours=1))
    engine.dispose()
    ((code, words),) = findings(house)["worker"]
    assert (code, f"has not run since {now - timedelta(hours=1):%Y-%m-%d %H:%M}" in words) == (WARNING, True)


def test_one_subject_alone(stand: Stand, smtpy: Run) -> None:
    done = run("--config", str(stand.config), "doctor", "policy", "milter")
    assert (done.exit_code, len(done.stdout.splitlines())) == (os.EX_OK, 2)
    done = smtpy("doctor", "lookup")
    assert done.exit_code == os.EX_UNAVAILABLE
    assert len(done.stdout.splitlines()) == 1
    assert smtpy("doctor", "nose").exit_code == os.EX_USAGE


def test_the_subjects_are_the_checks() -> None:
    assert tuple(name for name, _ in CHECKS) == SUBJECTS


def test_backups_that_are_not_made(house: Run, config: Path, tmp_path: Path) -> None:
    assert findings(house)["backups"][0][0] == os.EX_OK
    folder, now = tmp_path / "backups", datetime.now(UTC)
    line = house("backup", "--new-key", str(tmp_path / "key")).output.splitlines()[0]
    with config.open("a") as file:
        file.write(f'{line}\nbackup_dir = "{folder}"\n')
    assert findings(house)["backups"][0][0] == WARNING  # no folder
    folder.mkdir()
    assert findings(house)["backups"] == [(WARNING, f"there is none in {folder}")]
    (folder / name_of("mx.our.example", now - timedelta(hours=49))).touch()
    assert findings(house)["backups"][0][0] == WARNING
    (folder / name_of("mx.our.example", now - timedelta(hours=47))).touch()
    assert findings(house)["backups"][0][0] == os.EX_OK


def test_a_log_that_nobody_follows(house: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "mail.log"
    monkeypatch.setenv("SMTPY_POSTFIX_LOG", str(log))
    monkeypatch.setattr(upkeep, "FOLLOWED_SECONDS", 0.0)
    ((code, words),) = findings(house)["log"]
    assert (code, "No such file" in words) == (WARNING, True)
    log.write_text("one\n")
    ((code, words),) = findings(house)["log"]
    assert (code, "not followed" in words) == (WARNING, True)
    engine = open_engine(load(config, {}).database_url)
    status = log.stat()
    keep(engine, socket.gethostname(), str(log), (), Position(f"{status.st_dev}:{status.st_ino}", 4, b"one\n"))
    engine.dispose()
    assert findings(house)["log"] == [(os.EX_OK, f"{log} is followed")]


def test_without_domains_nobody_misses_the_worker(smtpy: Run) -> None:
    assert "worker" not in findings(smtpy)


@pytest.mark.parametrize("key", ["encryption_keys", "srs_secrets", "secret_keys"])
def test_a_secret_that_is_gone_is_to_be_given_back(house: Run, config: Path, key: str) -> None:
    path = config.parent / "secrets" / key
    path.unlink()
    done = house("alias", "list")
    assert (done.exit_code, f"give {path} back" in done.stderr) == (os.EX_CONFIG, True)
    assert "init" not in done.stderr
    lines = house("doctor").output.splitlines()
    assert [f"; give {path} back, from a backup: a new one loses" in line for line in lines] == [True]


def test_a_secret_named_by_the_environment(smtpy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a folder: of mine" / "keys"
    monkeypatch.setenv("SMTPY_ENCRYPTION_KEYS_FILE", str(path))
    assert f"give {path} back, from a backup: a new one loses the signing keys" in smtpy("alias", "list").stderr
    path.parent.write_text("no folder")
    assert "give" not in smtpy("alias", "list").stderr  # it may well be there


def test_settings_that_are_refused_end_it(tmp_path: Path) -> None:
    path = tmp_path / "smtpy.toml"
    path.write_text("hostname = 'mx.our.example'\n")
    done = run("--config", str(path), "doctor")
    assert done.exit_code == os.EX_CONFIG
    assert done.output.count("ERROR settings:") == 4


def test_open_files_are_found(smtpy: Run, config: Path) -> None:
    state = config.parent.parent
    for folder in (state, *state.parents):
        if folder.stat().st_uid == os.geteuid() and folder.name.startswith("pytest"):
            folder.chmod(0o755)
    open_ones = [config.parent / "secrets" / "secret_keys", state / "state" / "smtpy.db"]
    for path in open_ones:
        path.parent.chmod(0o755)
        path.chmod(0o644)
    (state / "run").chmod(0o777)
    said = " ".join(words for code, words in findings(smtpy)["files"] if code == os.EX_NOPERM)
    assert "anybody can put sockets into" in said
    in_the_open = Person("nobody", 65_534, frozenset({65_534})).stopped_at(open_ones[0], READ) is None
    assert in_the_open == (f"anybody can read {open_ones[0]}" in said)
    assert in_the_open == (f"anybody can read {open_ones[1]}" in said)


@pytest.mark.parametrize("said", [f'srs_secrets = ["{"s" * 20}"]', 'limits_url = "redis://:hush@cache.example"'])
def test_a_secret_in_the_open_configuration(smtpy: Run, config: Path, said: str) -> None:
    others = [line for line in config.read_text().splitlines() if not line.startswith(said.partition(" ")[0])]
    config.write_text("\n".join([*others, said]))
    assert any(str(config) in words for _, words in findings(smtpy)["files"])


def test_database_ahead_behind_and_away(smtpy: Run, config: Path) -> None:
    database = config.parent.parent / "state" / "smtpy.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    (found,) = json.loads(smtpy("doctor", "--json", "database").stdout)
    assert (found["code"], found["fix"]) == (os.EX_CONFIG, "install the newer version here, too")
    database.write_bytes(b"")
    ((code, words),) = findings(smtpy)["database"]
    assert (code, "this version needs" in words) == (os.EX_CONFIG, True)
    database.unlink()
    ((code, words),) = findings(smtpy)["database"]
    assert (code, "cannot be opened" in words) == (os.EX_CONFIG, True)


def test_a_postmaster_behind_an_alias_of_ours(house: Run, config: Path) -> None:
    assert [code for code, _ in findings(house)["settings"]] == [os.EX_OK]
    config.write_text(config.read_text().replace("postmaster@inbox.example", "sales@our.example"))
    said = findings(house)["settings"][1]
    assert (said[0], "rest on an alias" in said[1]) == (WARNING, True)
    lines = house("doctor").output.splitlines()
    assert [line.partition(" ")[0] for line in lines if "rest on an alias" in line] == ["WARN"]


def test_a_hostname_that_is_a_domain_of_ours(house: Run, config: Path) -> None:
    config.write_text(config.read_text().replace("mx.our.example", "our.example"))
    assert any(code == os.EX_CONFIG and "roles of the host" in words for code, words in findings(house)["settings"])


@pytest.mark.parametrize(
    ("codes", "end"),
    [
        ((), 0),
        ((0, 0), 0),
        ((0, WARNING, 0), WARNING),
        ((WARNING, os.EX_NOPERM, os.EX_CONFIG), os.EX_NOPERM),
    ],
)
def test_the_first_error_gives_the_exit_code(
    smtpy: Run, monkeypatch: pytest.MonkeyPatch, codes: tuple[int, ...], end: int
) -> None:
    found = [Finding("subject", code, "words", "fix") for code in codes]
    monkeypatch.setattr("smtpy.cli.doctor.examine", lambda *_: iter(found))
    assert smtpy("doctor").exit_code == end


@pytest.fixture
def closed(smtpy: Run, config: Path) -> Iterator[Path]:
    """state_dir, closed to the user as whom the test goes on; secrets and settings are open to that one."""
    smtpy("doctor")  # loads what a stranger could not load
    folder = config.parent.parent
    state, ways = folder / "state", [each for each in (folder, *folder.parents) if not each.stat().st_mode & ENTER]
    if os.geteuid() == 0:
        for each in (config.parent / "secrets", *(config.parent / "secrets").iterdir()):
            os.chown(each, 65_534, 65_534)
        for each in ways:
            each.chmod(0o711)
    state.chmod(0)
    try:
        if os.geteuid() == 0:
            os.seteuid(65_534)
        yield state
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
            for each in ways:
                each.chmod(0o700)
        state.chmod(0o755)


def test_a_folder_closed_to_this_user_is_named(smtpy: Run, config: Path, closed: Path) -> None:
    found = findings(smtpy)
    assert (os.EX_NOPERM, f"{closed / 'smtpy.db'} is closed to this user") in found["files"]
    assert len(found["files"]) == 5
    done = run("init", "--config", str(config))
    assert (done.exit_code, "run as a user who may" in done.output) == (os.EX_CANTCREAT, True), done.output


def test_a_default_file_that_this_user_may_not_look_for(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smtpy.config.sources.DEFAULT_FILE", closed / "smtpy.toml")
    done = run("alias", "list")
    assert (done.exit_code, "Permission denied" in done.output) == (os.EX_CONFIG, True), done.output


def test_a_configuration_of_postfix_closed_to_this_user(smtpy: Run, closed: Path) -> None:
    ((code, words),) = findings(smtpy, "--postfix", str(closed / "postfix"))["postfix"]
    assert (code, "closed to this user" in words) == (os.EX_UNAVAILABLE, True)


OWNER, MATE, STRANGER = (
    Person("owner", 1001, frozenset({1001})),
    Person("mate", 1002, frozenset({1002, 1001})),
    Person("stranger", 1003, frozenset({1003})),
)


@pytest.mark.skipif(os.geteuid() != 0, reason="files of other users are made by root")
@pytest.mark.parametrize(
    ("mode", "wanted", "who"),
    [
        (0o600, READ | WRITE, {"owner"}),
        (0o660, READ | WRITE, {"owner", "mate"}),
        (0o666, READ | WRITE, {"owner", "mate", "stranger"}),
        (0o606, READ, {"owner", "stranger"}),  # the group's bits count for the group, though others have more
        (0o711, ENTER, {"owner", "mate", "stranger"}),
        (0o640, WRITE, {"owner"}),
    ],
)
def test_who_may_do_what_by_the_mode(tmp_path: Path, mode: int, wanted: int, who: set[str]) -> None:
    path = tmp_path / "file"
    path.touch()
    os.chown(path, 1001, 1001)
    path.chmod(mode)
    assert {each.name for each in (OWNER, MATE, STRANGER) if each.may(path, wanted)} == who


@pytest.mark.skipif(os.geteuid() != 0, reason="files of other users are made by root")
def test_the_folder_in_the_way_is_named(tmp_path: Path) -> None:
    closed = Path("/") / tmp_path.parts[1]
    inner = tmp_path / "closed" / "run"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    stopped = STRANGER.stopped_at(inner, ENTER)
    assert stopped is not None
    assert stopped != closed
    assert stopped in (tmp_path / "closed", *tmp_path.parents, tmp_path)
