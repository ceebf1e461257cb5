"""Settings: every source, every refusal by name, and no secret in any message."""

from pathlib import Path
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.config import BadSettings, Settings, judge, load
from smtpy.net import Endpoint

KEY, SRS = "k" * 32, "s" * 16
NEEDED = {
    "hostname": "mx.our.example",
    "postmaster": "postmaster@inbox.example",
    "secret_keys": [KEY],
    "srs_secrets": [SRS],
    "encryption_keys": [KEY],
}
ENVIRON = {
    "SMTPY_HOSTNAME": "mx.our.example",
    "SMTPY_POSTMASTER": "postmaster@inbox.example",
    "SMTPY_SECRET_KEYS": KEY,
    "SMTPY_SRS_SECRETS": SRS,
    "SMTPY_ENCRYPTION_KEYS": KEY,
}


def refused(path: Path | None, environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(BadSettings) as caught:
        load(path, environ)
    return dict(caught.value.problems)


def write(folder: Path, text: str) -> Path:
    path = folder / "smtpy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_stand_on_each_other() -> None:
    settings = judge({**NEEDED, "state_dir": "/srv/s", "run_dir": "/srv/r"})
    assert settings.database_url == "sqlite:////srv/s/smtpy.db"
    assert settings.lookup_listen == (Endpoint(path="/srv/r/lookup.sock"),)
    assert settings.policy_listen == (Endpoint(path="/srv/r/policy.sock"),)
    assert settings.milter_listen == Endpoint(path="/srv/r/milter.sock")
    assert settings.deadline_seconds == 3.0
    assert settings.mx_hosts == ("mx.our.example",)
    assert settings.report_address == "postmaster@inbox.example"
    assert settings.check_resolvers == (("9.9.9.9", 53), ("1.1.1.1", 53))


def test_later_sources_win(tmp_path: Path) -> None:
    path = write(tmp_path, 'log_level = "error"\nmax_hops = 10\nmilter_workers = 3\n')
    (tmp_path / "hops").write_text("12\n")
    environ = {
        **ENVIRON,
        "SMTPY_MAX_HOPS": "11",
        "SMTPY_MAX_HOPS_FILE": str(tmp_path / "hops"),
        "SMTPY_LOG_LEVEL": "debug",
    }
    settings = load(path, environ)
    assert (settings.milter_workers, settings.log_level, settings.max_hops) == (3, "debug", 12)


def test_configuration_named_by_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, "max_hops = 7\n")
    assert load(None, {**ENVIRON, "SMTPY_CONFIG": str(path)}).max_hops == 7


def test_secrets_from_files_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY}\n{'o' * 40}\n")
    path = write(tmp_path, 'secret_keys_file = "keys"\n')
    environ = {name: value for name, value in ENVIRON.items() if name != "SMTPY_SECRET_KEYS"}
    settings = load(path, environ)
    assert [key.get_secret_value() for key in settings.secret_keys] == [KEY, "o" * 40]


def test_values_are_kept_in_one_form() -> None:
    settings = judge({**NEEDED, "hostname": "MX.Bücher.example", "postmaster": '"a"@Inbox.EXAMPLE'})
    assert settings.hostname == "mx.xn--bcher-kva.example"
    assert settings.postmaster == "a@inbox.example"


DNS_SERVERS = {
    "192.0.2.1": ("192.0.2.1", 53),
    "127.0.0.1:5353": ("127.0.0.1", 5353),
    "2001:DB8::1": ("2001:db8::1", 53),
    "[2001:db8:0::1]:5353": ("2001:db8::1", 5353),
}


@pytest.mark.parametrize(("text", "server"), DNS_SERVERS.items(), ids=list(DNS_SERVERS))
def test_dns_servers(text: str, server: tuple[str, int]) -> None:
    settings = judge({**NEEDED, "dns_servers": [text]})
    assert settings.dns_servers == (server,)
    written = settings.model_dump(mode="json")["dns_servers"]
    assert judge({**NEEDED, "dns_servers": written}).dns_servers == (server,)


def test_lists_by_the_environment() -> None:
    environ = {**ENVIRON, "SMTPY_DNS_SERVERS": "192.0.2.1 192.0.2.2:5353", "SMTPY_TRUSTED_SEALERS": "Lists.EXAMPLE"}
    settings = load(None, environ)
    assert [str(each) for each in settings.dns_servers] == ["192.0.2.1", "192.0.2.2:5353"]
    assert settings.trusted_sealers == ("lists.example",)


def test_all_bad_keys_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, 'hostname = "a b"\nmax_hop = 3\nlog_level = "loud"\n')
    assert refused(path, {"SMTPY_MILTER_WORKERS": "many", "SMTPY_RUNDIR": "/r"}).keys() == {
        *("hostname", "max_hop", "log_level", "SMTPY_MILTER_WORKERS", "SMTPY_RUNDIR"),
        *("postmaster", "secret_keys", "srs_secrets", "encryption_keys"),
    }


BAD_VALUES = {
    "hostname": ("[192.0.2.1]", "not an address literal"),
    "postmaster": ("root@mx.our.example", "must be elsewhere"),
    "state_dir": ("state", "absolute"),
    "database_url": ("mysql://db.example/x", "sqlite:"),
    "secret_keys": ([], "at least 1"),
    "srs_secrets": ([SRS, "short"], "at least 16"),
    "encryption_keys": (["k" * 31], "at least 32"),
    "dns_servers": (["dns.example"], "an IP address"),
    "check_resolvers": (["192.0.2.1:0"], "1 to 65535"),
    "mx_hosts": ([], "at least 1"),
    "trusted_sealers": (["a b"], "not a valid host name"),
    "report_address": ("jörg@inbox.example", "in ASCII only"),
    "journal_days": (-1, "greater than or equal to 0"),
    "key_retire_days": (0, "greater than or equal to 1"),
    "srs_hash_length": (3, "greater than or equal to 4"),
    "lookup_listen": (["unix:x"], "absolute"),
    "policy_listen": (["inet:[::1]:9", "8025"], "unix:/path or inet:host:port"),
    "milter_listen": ("inet:127.0.0.1:9", "UNIX socket"),
    "queue_listen": ("inet:127.0.0.1:9", "whose mode says who may ask"),
    "postfix_dir": ("postfix", "absolute"),
    "metrics_listen": ("unix:/run/x", "on a TCP port"),
    "deadline_seconds": (31, "less than or equal to 30"),
    "log_level": ("trace", "'debug'"),
    "log_format": ("logfmt", "'json'"),
    "log_addresses": ("some", "'domain'"),
    "sentry_dsn": ("https://sentry.example/7", "https://key@host/project"),
}


@pytest.mark.parametrize(
    ("key", "value", "rule"), [(key, *case) for key, case in BAD_VALUES.items()], ids=list(BAD_VALUES)
)
def test_refuses_a_bad_value_by_its_key(key: str, value: object, rule: str) -> None:
    with pytest.raises(BadSettings) as caught:
        judge({**NEEDED, key: value})
    assert [name for name, _ in caught.value.problems] == [key]
    assert rule in caught.value.problems[0][1]


POSTMASTERS = {
    "x@drop.invalid": "within the service",
    "x@a.split.invalid": "within the service",
    "jörg@inbox.example": "in ASCII only",
}


@pytest.mark.parametrize(("address", "rule"), POSTMASTERS.items(), ids=list(POSTMASTERS))
def test_a_postmaster_whom_mail_does_not_reach(address: str, rule: str) -> None:
    with pytest.raises(BadSettings, match=rule):
        judge({**NEEDED, "postmaster": address})


@pytest.mark.parametrize(
    "url", ["sqlite:///relative.db", "sqlite://", "smtpy.db", "postgres://h/n", "postgresql://h:x/n"]
)
def test_database_must_be_one_that_all_processes_find(url: str) -> None:
    with pytest.raises(BadSettings, match="database_url"):
        judge({**NEEDED, "database_url": url})


def test_near_misses_are_suggested(tmp_path: Path) -> None:
    path = write(tmp_path, 'host_name = "x"\nfrobnicate = 1\n')
    problems = refused(path, {**ENVIRON, "SMTPY_LOG_LEVLE": "info"})
    assert problems == {
        "host_name": "no such setting; did you mean hostname?",
        "frobnicate": "no such setting",
        "SMTPY_LOG_LEVLE": "no such setting; did you mean SMTPY_LOG_LEVEL?",
    }


def test_one_key_given_twice(tmp_path: Path) -> None:
    path = write(tmp_path, 'max_hops = 3\nmax_hops_file = "hops"\n')
    (tmp_path / "hops").write_text("4")
    assert refused(path, ENVIRON) == {"max_hops_file": "max_hops is given too; keep one of them"}


@pytest.mark.parametrize(("text", "reason"), [("a = [", "not TOML"), ("hostname = 'x'\nhostname = 'y'", "not TOML")])
def test_broken_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = write(tmp_path, text)
    assert refused(path, ENVIRON)[str(path)].startswith(reason)


def test_missing_files_are_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    problems = refused(tmp_path / "smtpy.toml", {**ENVIRON, "SMTPY_DATABASE_URL_FILE": missing})
    assert problems == {
        "the configuration file": f"cannot read {tmp_path / 'smtpy.toml'}: No such file or directory",
        "SMTPY_DATABASE_URL_FILE": f"cannot read {missing}: No such file or directory",
    }


@given(st.text(ascii_letters + digits, min_size=8, max_size=13).map("Qz{}".format))
def test_no_message_and_no_repr_tells_a_secret(secret: str) -> None:
    with pytest.raises(BadSettings) as caught:
        judge(
            {
                **NEEDED,
                "secret_keys": [secret + "\x00" * 5],
                "srs_secrets": secret,
                "encryption_keys": [secret],
                "database_url": f"x://u:{secret}@h",
            }
        )
    assert secret not in str(caught.value)
    settings = judge(
        {
            **NEEDED,
            "srs_secrets": [secret * 2],
            "encryption_keys": [secret * 4],
            "database_url": f"postgresql://u:{secret}@db.example/x",
        }
    )
    assert secret not in repr(settings)


@given(st.dictionaries(st.sampled_from([*Settings.model_fields, "other"]), st.text(max_size=30)))
def test_any_environment_gives_settings_or_names(values: dict[str, str]) -> None:
    try:
        load(None, {f"SMTPY_{key.upper()}": value for key, value in values.items()})
    except BadSettings as bad:
        assert bad.problems  # noqa: PT017 - settings are a possible end, too
