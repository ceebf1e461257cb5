"""Policy delegation: whole requests whatever the cuts, and every way to break them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.policy.protocol import MAX_LINE, MAX_REQUEST, Request, Requests, action
from smtpy.wire import Violation

# What Postfix 3.7 sends, as SMTPD_POLICY_README shows it.
POSTFIX = b"""request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=192.0.2.1
client_name=mail.sender.example
reverse_client_name=mail.sender.example
helo_name=mail.sender.example
sender=bob@sender.example
recipient=sales@our.example
recipient_count=0
queue_id=
instance=1234.5678.90
size=12345
etrn_domain=
stress=
sasl_method=
ccert_subject=
encryption_protocol=TLSv1.3
client_port=54321
policy_context=
server_address=192.0.2.2
compatibility_level=3.6
mail_version=3.7.11

"""
PLAIN = Request("RCPT", "bob@sender.example", "sales@our.example", 12345, "192.0.2.1")
TYPE = b"request=smtpd_access_policy\n"
NOTHING = Request("", "", "", 0, "")


def read(*pieces: bytes) -> tuple[list[Request], bool]:
    """The requests that these pieces hold, and whether something is left."""
    reader = Requests()
    requests = []
    for piece in pieces:
        reader.feed(piece)
        while (request := reader.next()) is not None:
            requests.append(request)
    return requests, reader.pending()


def test_a_stream_cut_at_every_octet():
    stream = POSTFIX + TYPE + b"\n" + POSTFIX
    requests = [PLAIN, NOTHING, PLAIN]
    for cut in range(len(stream) + 1):
        assert read(stream[:cut], stream[cut:]) == (requests, False)
    assert read(*(bytes([octet]) for octet in stream)) == (requests, False)


def test_a_request_that_has_not_ended_is_held():
    for cut in range(1, len(POSTFIX)):
        assert read(POSTFIX[:cut]) == ([], True)


READ = {
    "nothing said": (b"", NOTHING),
    "the null reverse-path": (b"sender=\n", NOTHING),
    "a value with =": (b"sender=a=b@x.example\n", Request("", "a=b@x.example", "", 0, "")),
    "the last of two counts": (b"sender=a\nsender=b\n", Request("", "b", "", 0, "")),
    "a name unknown": (b"colour=red\n", NOTHING),
    "a name not ASCII": (b"\xff=red\n", NOTHING),
    "blanks belong to the value": (b"recipient= a b \n", Request("", "", " a b ", 0, "")),
    "UTF-8": ("sender=jörg\nrecipient=jörg\n".encode(), Request("", "jörg", "jörg", 0, "")),
    "not UTF-8": (b"sender=j\xf6rg\nrecipient=j\xf6rg\n", Request("", "j\ufffdrg", "j\udcf6rg", 0, "")),
    "a NUL": (b"recipient=a\0b\n", Request("", "", "a\0b", 0, "")),
    "a carriage return": (b"recipient=a\r\n", Request("", "", "a\r", 0, "")),
    "size 0": (b"size=0\n", NOTHING),
    "no size": (b"size=\n", NOTHING),
    "a size below zero": (b"size=-1\n", NOTHING),
    "a size in words": (b"size=big\n", NOTHING),
    "a size of other digits": ("size=١٢\n".encode(), NOTHING),
    "a size of 5000 digits": (b"size=" + b"9" * 5000 + b"\n", NOTHING),
    "the longest line": (
        b"sender=".ljust(MAX_LINE, b"a") + b"\n",
        Request("", "a" * (MAX_LINE - 7), "", 0, ""),
    ),
    "the longest request": (b"x=".ljust(1000, b"y") + b"\n" + b"x=yy\n" * 12_900, NOTHING),
}


@pytest.mark.parametrize(("lines", "request_"), READ.values(), ids=list(READ))
def test_what_is_read(lines, request_):
    assert read(TYPE + lines + b"\n") == ([request_], False)


VIOLATIONS = {
    "no request": (b"\n", "empty"),
    "no request behind one": (POSTFIX + b"\n", "empty"),
    "no type": (b"sender=\nrecipient=a@our.example\n\n", "type"),
    "another type": (b"request=junk\n\n", "type"),
    "a type in capitals": (b"request=SMTPD_ACCESS_POLICY\n\n", "type"),
    "the last of two types counts": (TYPE + b"request=junk\n\n", "type"),
    "CR LF": (TYPE.replace(b"\n", b"\r\n") + b"\r\n\n", "name=value"),
    "no =": (TYPE + b"sender\n\n", "name=value"),
    "no name": (TYPE + b"=x\n\n", "name=value"),
    "a NUL for an attribute": (TYPE + b"\0\n\n", "name=value"),
    "a line too long": (TYPE + b"sender=".ljust(MAX_LINE + 1, b"a") + b"\n\n", "line is longer"),
    "a request too long": (TYPE + b"x=y\n" * (MAX_REQUEST // 4) + b"\n", "request is longer"),
    "a request without end": (b"x" * (MAX_REQUEST + 1), "request is longer"),
    "a netstring": (b"25:aliases sales@our.example,\n\n", "name=value"),
    "another protocol": (b"GET / HTTP/1.1\nHost: x\n\n", "name=value"),
}


@pytest.mark.parametrize(("stream", "rule"), VIOLATIONS.values(), ids=list(VIOLATIONS))
def test_a_violation_is_found_whatever_the_cuts(stream, rule):
    with pytest.raises(Violation, match=rule):
        read(stream)
    with pytest.raises(Violation, match=rule):
        read(stream[:5], stream[5:])
    with pytest.raises(Violation, match=rule):
        read(*(stream[start : start + 1] for start in range(len(stream))))


def test_an_action_is_a_line_and_an_empty_one():
    assert action("550 5.1.1 No such address here") == b"action=550 5.1.1 No such address here\n\n"


@given(st.binary(max_size=80) | st.from_regex(rb"request=smtpd_access_policy\n(size=[^\n]{0,9}\n)?\n", fullmatch=True))
def test_octets_are_requests_or_a_violation(octets):
    with contextlib.suppress(Violation):
        read(octets)
