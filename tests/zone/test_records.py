"""What a domain is told to publish, read again by dnspython as a name server reads it."""

import dns.rdatatype
import dns.zone

from smtpy.zone.master import STRING, lines, strings
from smtpy.zone.records import PublicKey, Service, expected, mta_sts_policy
from tests.zone.town import DOMAIN, KEYS, RSA, SERVICE, UUID


def test_every_record_is_a_line_that_a_name_server_reads() -> None:
    wanted = expected(DOMAIN, UUID, KEYS, SERVICE)
    text = "\n".join(["@ 3600 IN SOA ns hostmaster 1 2 3 4 5", "@ 3600 IN NS ns.other.example.", *lines(wanted)])
    zone = dns.zone.from_text(text, origin=f"{DOMAIN}.", relativize=False)
    read = {
        (name.to_text(True), dns.rdatatype.to_text(data.rdtype)): _plain(data)
        for name, _, data in zone.iterate_rdatas()
        if data.rdtype not in (dns.rdatatype.SOA, dns.rdatatype.NS)
    }
    assert read == {(each.name, each.type): each.value for each in wanted}


def _plain(data: object) -> str:
    pieces = getattr(data, "strings", None)
    return b"".join(pieces).decode() if pieces else str(data).rstrip(".")


def test_a_long_text_is_cut_into_strings_that_join_to_it() -> None:
    cut = strings(RSA)
    pieces = cut.strip('"').split('" "')
    assert [len(piece) <= STRING for piece in pieces] == [True, True]
    assert "".join(pieces) == RSA


def test_what_would_end_a_string_is_quoted() -> None:
    assert strings('a"b\\c') == '"a\\"b\\\\c"'


def test_each_host_has_an_mx_and_stands_in_the_policy() -> None:
    service = Service(("mx1.smtpy.example", "mx2.smtpy.example"), "reports@smtpy.example")
    wanted = expected(DOMAIN, UUID, (), service)
    assert [each.value for each in wanted if each.type == "MX"] == ["10 mx1.smtpy.example", "10 mx2.smtpy.example"]
    assert "mx: mx1.smtpy.example\r\nmx: mx2.smtpy.example\r\n" in mta_sts_policy(service.hosts)


def test_another_policy_has_another_id() -> None:
    ids = {
        each.value
        for hosts in (("mx1.smtpy.example",), ("mx2.smtpy.example",))
        for each in expected(DOMAIN, UUID, (), Service(hosts, "reports@smtpy.example"))
        if each.name == f"_mta-sts.{DOMAIN}"
    }
    assert len(ids) == 2


def test_a_retired_key_is_asked_for_and_not_required() -> None:
    wanted = expected(DOMAIN, UUID, [PublicKey("old", RSA, "retired"), *KEYS], SERVICE)
    assert [(each.required, each.leaving) for each in wanted if each.kind == "dkim"] == [
        (False, True),
        (True, False),
        (True, False),
    ]
