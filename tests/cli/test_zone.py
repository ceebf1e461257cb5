"""`domain dns`, `domain check`, `mailbox check`: what they print, and the code they leave with."""

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dns.zone
import pytest

from tests.cli.conftest import ANN, INBOX, Run
from tests.dns import Zone
from tests.nameserver import Nameserver, silence

HOST = "mx.our.example"  # of the configuration that `smtpy init` makes in these tests


@pytest.fixture
def nameserver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nameserver]:
    """The only resolver of the commands; its zone may be changed."""
    with Nameserver(Zone({})) as server:
        monkeypatch.setenv("SMTPY_CHECK_RESOLVERS", f"{server.host}:{server.port}")
        yield server


@pytest.fixture
def town(house: Run) -> Run:
    """The house, with shop.example beside its host's own domain."""
    assert house("domain", "add", "shop.example", "--owner", ANN).exit_code == 0
    return house


def publish(town: Run, server: Nameserver) -> None:
    """Do what `domain dns` says."""
    names: dict[str, dict[str, list[object]]] = {HOST: {"A": ["198.51.100.25"]}}
    for each in json.loads(town("domain", "dns", "shop.example", "--format", "json").stdout):
        value = (10, HOST) if each["type"] == "MX" else each["value"]
        names.setdefault(each["name"], {}).setdefault(each["type"], []).append(value)
    server.zone.names.update(names)


def test_dns_as_a_zone_is_read_by_a_name_server(town: Run) -> None:
    text = town("domain", "dns", "shop.example", "--format", "zone").output
    whole = f"@ 60 IN SOA ns admin 1 2 3 4 5\n@ 60 IN NS ns.other.example.\n{text}"
    zone = dns.zone.from_text(whole, origin="shop.example.")
    assert {"_smtpy", "_dmarc", "_mta-sts", "mta-sts", "_smtp._tls"} < {str(name) for name in zone}
    assert text.count("_domainkey") == 2
    assert "; mx, required. Tells other servers to bring mail for shop.example to mx.our.example.\n" in text


def test_dns_as_a_table_has_a_line_for_each_record(town: Run) -> None:
    lines = town("domain", "dns", "shop.example").output.splitlines()
    assert lines[0].split() == ["need", "type", "name", "value"]
    assert [line.split()[:3] for line in lines[2:4]] == [
        ["required", "MX", "shop.example"],
        ["required", "TXT", "shop.example"],
    ]


def test_dns_of_a_domain_that_is_not_ours_is_refused(town: Run) -> None:
    assert town("domain", "dns", "other.example").exit_code == os.EX_NOUSER


def test_check_says_what_to_do_and_then_that_all_is_well(town: Run, nameserver: Nameserver) -> None:
    before = town("domain", "check", "shop.example")
    assert before.exit_code == 1
    assert (
        "MISSING  mx        shop.example\n"
        "           expected  MX 10 mx.our.example\n"
        "           found     nothing\n"
        "           to do     Add an MX record named shop.example with the value: 10 mx.our.example\n"
    ) in before.output
    publish(town, nameserver)
    after = town("domain", "check", "shop.example")
    assert (after.exit_code, after.output.count("to do")) == (0, 0)
    assert "OK       spf       shop.example\n" in after.output


def test_check_lets_new_keys_be_used_and_says_so_once(town: Run, nameserver: Nameserver) -> None:
    publish(town, nameserver)
    done = town("domain", "check", "shop.example", "--json")
    assert (done.exit_code, json.loads(done.stdout)[0]["status"]) == (0, "ok")
    assert re.fullmatch(r"key r\S+ and e\S+ of shop.example sign from now on\n", done.stderr)
    assert "from now on" not in town("domain", "check", "shop.example").output
    assert "No mail is signed" not in town("domain", "dns", "shop.example", "--format", "zone").output
    assert "The key that receivers check" in town("domain", "dns", "shop.example", "--format", "zone").output


def test_what_is_only_recommended_is_no_failure(town: Run, nameserver: Nameserver) -> None:
    publish(town, nameserver)
    del nameserver.zone.names["_dmarc.shop.example"]
    done = town("domain", "check", "shop.example")
    assert (done.exit_code, "MISSING  dmarc" in done.output) == (0, True)


def test_a_new_pair_is_no_failure_while_the_old_one_signs(town: Run, nameserver: Nameserver) -> None:
    publish(town, nameserver)
    town("domain", "check", "shop.example")
    assert town("key", "rotate", "shop.example").exit_code == 0
    done = town("domain", "check", "shop.example")
    assert (done.exit_code, done.output.count("MISSING  dkim")) == (0, 2)
    assert done.output.count("(recommended)") == 2
    assert "it takes over" in done.output


def test_a_domain_without_keys_is_not_well(town: Run, nameserver: Nameserver) -> None:
    for key in json.loads(town("key", "list", "shop.example", "--json").stdout):
        told = town("key", "retire", "shop.example", key["selector"]).output
        assert f"so take {key['name']} out of DNS" in told
    assert "_domainkey" not in town("domain", "dns", "shop.example").stdout
    publish(town, nameserver)
    done = town("domain", "check", "shop.example")
    words = "no key; run `smtpy key rotate shop.example` or start `smtpy worker`"
    assert (done.exit_code, words in done.output) == (1, True)
    for form in ("zone", "json", "table"):
        assert town("domain", "dns", "shop.example", "--format", form).stderr == f"dkim, required: {words}\n"


def test_a_silent_resolver_is_named_once_and_keeps_no_key_from_use(
    town: Run, nameserver: Nameserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(town, nameserver)
    monkeypatch.setenv("SMTPY_DNS_TIMEOUT_SECONDS", "0.1")
    with silence() as (host, port):
        away = f"{host}:{port}"
        monkeypatch.setenv("SMTPY_CHECK_RESOLVERS", away)
        none = town("domain", "check", "shop.example")
        assert (none.exit_code, town("mailbox", "check", INBOX).exit_code) == (os.EX_TEMPFAIL, os.EX_TEMPFAIL)
        assert {line.split()[0] for line in none.output.splitlines()[:-1]} == {"UNKNOWN"}
        line = f"{away} cannot be reached from here; see check_resolvers and the firewall\n"
        assert none.output.endswith(line)
        monkeypatch.setenv("SMTPY_CHECK_RESOLVERS", f"{away} {nameserver.host}:{nameserver.port}")
        one = town("domain", "check", "shop.example")
    assert (one.exit_code, one.output.count("to do"), one.output.count(line)) == (0, 0, 1)
    assert one.output.endswith(" of shop.example sign from now on\n")


def test_a_key_that_waits_for_long_is_told(town: Run, nameserver: Nameserver, config: Path) -> None:
    assert "since" not in town("domain", "check", "shop.example").output
    assert "since" not in town("doctor").output.replace("has not run since", "")
    with sqlite3.connect(config.parent.parent / "state" / "smtpy.db") as database:
        database.execute("UPDATE signing_keys SET created_at = '2026-01-31 12:00:00.000000'")
    database.close()
    words = r"key r\S+ and e\S+ of shop.example wait to be seen in DNS since 2026-01-31 12:00"
    assert re.search(words, town("domain", "check", "shop.example").stdout)
    assert re.search(words, town("domain", "check", "shop.example", "--json").stderr)
    assert re.search(f"WARN  keys: {words}; run `smtpy domain check shop.example`", town("doctor").output)
    publish(town, nameserver)
    assert "since" not in town("domain", "check", "shop.example").output


def test_trouble_is_no_failure(town: Run, nameserver: Nameserver) -> None:
    publish(town, nameserver)
    nameserver.zone.names["shop.example"] = "SERVFAIL"
    done = town("domain", "check", "shop.example")
    assert (done.exit_code, "UNKNOWN  mx" in done.output) == (0, True)


def test_check_as_json(town: Run, nameserver: Nameserver) -> None:
    done = town("domain", "check", "shop.example", "--json")
    found = json.loads(done.output)
    assert done.exit_code == 1
    assert {"kind", "name", "status", "required", "expected", "found", "todo", "disputed"} == set(found[0])
    assert {each["status"] for each in found} == {"missing"}


def test_doctor_tells_what_does_not_work_until_it_does(town: Run, nameserver: Nameserver) -> None:
    for _ in range(2):
        town("domain", "check", "shop.example")
    told = [line for line in town("doctor").output.splitlines() if " dns: " in line]
    assert told == [
        "WARN  dns: shop.example: dkim missing, mx missing, ownership missing, spf missing, "
        "as the last 2 checks found; run `smtpy domain check`, which says what to do"
    ]
    publish(town, nameserver)
    town("domain", "check", "shop.example")
    assert " dns: " not in town("doctor").output


def test_mailbox_check(town: Run, nameserver: Nameserver) -> None:
    nothing = town("mailbox", "check", INBOX)
    assert (nothing.exit_code, "MISSING  replies   inbox.example" in nothing.output) == (1, True)
    assert "use a mailbox elsewhere" in nothing.output
    nameserver.zone.names["inbox.example"] = {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]}
    well = town("mailbox", "check", INBOX)
    assert (well.exit_code, "OK       replies   inbox.example" in well.output) == (0, True)
    assert town("mailbox", "check", "nobody@inbox.example").exit_code == os.EX_NOUSER
