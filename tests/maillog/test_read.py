"""Lines to events: what a real Postfix wrote, and what strangers may have it write."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.maillog.events import (
    Attempt,
    Deleted,
    Event,
    Expired,
    Held,
    Named,
    Queued,
    Received,
    Refused,
    Released,
    Removed,
    Reported,
    Requeued,
)
from smtpy.maillog.read import read
from smtpy.maillog.stamp import read_head
from tests.maillog.samples import FIRST, REAL, RELAY, SECOND, line

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SRS = "SRS0=x=JP=s.example=a@our.example"
CLIENT = "unknown[127.0.0.2]"
LATER = (
    "host 127.0.0.1[127.0.0.1] said: 450-4.2.0 line one status=sent (250 ok) 450 4.2.0 to=<x@y.example>, relay=none,"
    " status=sent (évil) (in reply to RCPT TO command)"
)
REFUSED_LINE = "550 5.1.1 <a, relay=x> status=sent @our.example>: Recipient address rejected: No such address here"
EXPECTED: list[tuple[str, Event]] = [
    ("", Received(FIRST, CLIENT)),
    ("", Named(FIRST, "<one@x.example>")),
    ("", Queued(FIRST, "a@sender.example", 264, 9)),
    (
        "",
        Attempt(
            FIRST,
            "drop@drop.invalid",
            "",
            "none",
            0.07,
            "2.0.0",
            "sent",
            "dropped by its owner's choice",
            program="discard",
        ),
    ),
    ("split", Received(SECOND, "unknown[127.0.0.1]", FIRST)),
    (
        "split",
        Attempt(
            FIRST,
            "sales=our.example@split.invalid",
            "",
            "127.0.0.1[127.0.0.1]:34383",
            0.12,
            "2.0.0",
            "sent",
            f"250 2.0.0 Ok: queued as {SECOND}",
            "smtp",
            SECOND,
        ),
    ),
    (
        "",
        Attempt(
            SECOND,
            "ann@inbox.example",
            "sales@our.example",
            RELAY,
            0.04,
            "2.0.0",
            "sent",
            "250 2.0.0 Ok: kept",
            "smtp",
        ),
    ),
    ("", Attempt(SECOND, "later@inbox.example", "", RELAY, 0.04, "4.2.0", "deferred", LATER, "smtp")),
    ("", Reported(SECOND, "4jb9yY4vNqzJLfX", "non-delivery")),
    ("", Removed(SECOND)),
    (
        "",
        Refused(
            SECOND,
            "END-OF-MESSAGE",
            CLIENT,
            "5.6.0 The message has more than one From field",
            "a@sender.example",
            "sales@our.example",
        ),
    ),
    (
        "",
        Refused(
            None,
            "RCPT",
            CLIENT,
            "550 5.2.1 <off@our.example>: Recipient address rejected: This address is switched off",
            "a@sender.example",
            "off@our.example",
        ),
    ),
    ("", Refused(None, "RCPT", CLIENT, REFUSED_LINE, "a@sender.example", '"a, relay=x> status=sent "@our.example')),
    ("", Held(SECOND)),
    ("", Released(SECOND)),
    ("", Requeued("4jb9yh5PcWzJLfh", SECOND)),
    ("", Deleted(FIRST)),
    ("", Expired(FIRST, SRS, "force-expired")),
    ("", Expired(SECOND, "", "expired")),
    (
        "",
        Attempt(
            SECOND,
            "a@sender.example",
            SRS,
            "none",
            3.7,
            "4.4.1",
            "deferred",
            "connect to 127.0.0.1[127.0.0.1]:42459: Connection refused",
            "smtp",
        ),
    ),
    ("", Held(FIRST, "milter triggers HOLD action")),
]


def event_of(text: str, program: str = "smtp") -> Event | None:
    logged = read(line(text, program), NOW, UTC)
    return logged.event if logged else None


def test_what_a_real_postfix_wrote() -> None:
    logged = [found for each in REAL.splitlines() if (found := read(each.encode(), NOW, UTC))]
    assert [(each.service, each.event) for each in logged] == EXPECTED


@pytest.mark.parametrize("text", REAL.splitlines())
def test_a_line_cut_anywhere_is_no_error_and_names_nobody_else(text: str) -> None:
    octets = text.encode()
    whole = read(octets, NOW, UTC)
    for end in range(len(octets)):
        cut = read(octets[:end], NOW, UTC)
        if cut and whole:
            assert type(cut.event) is type(whole.event)
            if cut.event.queue_id is not None:
                assert cut.event.queue_id == whole.event.queue_id


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("Nov 26 22:22:13", datetime(2026, 11, 26, 22, 22, 13, tzinfo=UTC)),
        ("Jan  3 01:02:03", datetime(2026, 1, 3, 1, 2, 3, tzinfo=UTC)),
        ("Dec 31 23:59:59", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Feb 29 00:00:00", datetime(2024, 2, 29, tzinfo=UTC)),
        ("Nov 27 10:00:00", datetime(2026, 11, 27, 10, tzinfo=UTC)),  # a clock that is ahead
        ("2026-11-26T22:22:13.250000+02:00", datetime(2026, 11, 26, 20, 22, 13, 250000, tzinfo=UTC)),
        ("2026-11-26T22:22:13Z", datetime(2026, 11, 26, 22, 22, 13, tzinfo=UTC)),
        ("<22>Nov 26 22:22:13", datetime(2026, 11, 26, 22, 22, 13, tzinfo=UTC)),
        ("Feb 30 00:00:00", None),
        ("Foo 30 00:00:00", None),
        ("Nov 26 25:00:00", None),
        ("2026-13-26T22:22:13Z", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_stamps(stamp: str, at: datetime | None) -> None:
    logged = read(line(f"{FIRST}: removed", "qmgr", stamp), NOW, UTC)
    assert (logged and logged.at) == at


def test_a_stamp_without_a_zone_is_in_the_one_that_is_given() -> None:
    logged = read(line(f"{FIRST}: removed", "qmgr"), NOW, timezone(timedelta(hours=5, minutes=30)))
    assert logged is not None
    assert logged.at == datetime(2026, 11, 26, 16, 52, 13, tzinfo=UTC)


def test_several_instances_and_services_have_names_of_their_own() -> None:
    head = read_head("Nov 26 22:22:13 mx postfix-out/submission/smtpd[1]: x", NOW, UTC)
    assert head is not None
    assert (head.host, head.service, head.program, head.text) == ("mx", "submission", "smtpd", "x")


FORGED = (
    f"{FIRST}: removed",
    f"{FIRST}: to=<x@y.example>, relay=none, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
    f"Nov 26 22:22:13 mx postfix/qmgr[1]: {FIRST}: removed",
    f"250 2.0.0 Ok: queued as {SECOND}",
    f"{FIRST}: client=unknown[192.0.2.1], orig_queue_id={SECOND}",
    "; from=<v@x.example> to=<victim@our.example> proto=ESMTP helo=<x>",
)


@pytest.mark.parametrize("forged", FORGED)
def test_what_another_server_says_is_only_words(forged: str) -> None:
    said = f"host mx.far.example[192.0.2.1] said: 550 {forged} (in reply to RCPT TO command)"
    text = f"{SECOND}: to=<a@far.example>, relay=r, delay=1, delays=1/0/0/0, dsn=5.0.0, status=bounced ({said})"
    assert event_of(text) == Attempt(SECOND, "a@far.example", "", "r", 1.0, "5.0.0", "bounced", said, "smtp")
    assert event_of(f"{SECOND}: host mx.far.example[192.0.2.1] said: {forged}") is None
    assert event_of(f"{SECOND}: message-id={forged}", "cleanup") == Named(SECOND, forged)


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("sender", [False, True])
def test_an_address_is_only_an_address(forged: str, sender: bool) -> None:
    local = f'"x>, relay=none, dsn=2.0.0, status=sent ({forged}"'
    rest = "relay=r, delay=1, delays=1/0/0/0, dsn=4.0.0, status=deferred (no)"
    path = f"{local}@far.example"
    assert event_of(f"{SECOND}: to=<{path}>, orig_to=<{path}>, {rest}") == (
        Attempt(SECOND, path, path, "r", 1.0, "4.0.0", "deferred", "no", "smtp")
    )
    assert event_of(f"{SECOND}: from=<{path}>, size=1, nrcpt=1 (queue active)", "qmgr") == Queued(SECOND, path, 1, 1)
    from_, to = (path, "a@b.example") if sender else ("a@b.example", path)
    words = f"550 5.1.1 <{to.replace(chr(34), '')}>: Recipient address rejected: No"
    text = f"NOQUEUE: reject: RCPT from {CLIENT}: {words}; from=<{from_}> to=<{to}> proto=ESMTP helo=<x>"
    assert event_of(text, "smtpd") == Refused(None, "RCPT", CLIENT, words, from_, to)


def test_an_address_that_breaks_the_grammar_makes_no_event() -> None:
    """As with info_log_addr_form = internal: better nothing than something forged."""
    rest = "relay=r, delay=1, delays=1/0/0/0, dsn=4.0.0, status=deferred (no)"
    assert event_of(f'{SECOND}: to=<a"b@far.example>, {rest}') is None


def test_only_our_own_split_may_name_another_queue_id() -> None:
    sent = f"{FIRST}: to=<a@b.example>, relay=r, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent"
    for text in (f"{sent} (250 2.0.0 Ok: queued as {SECOND})", f"{sent} (x 250 2.0.0 Ok: queued as {SECOND})"):
        found = event_of(text)
        assert isinstance(found, Attempt)
        assert found.next_id is None
    assert event_of(f"{SECOND}: client={CLIENT}, orig_queue_id={FIRST}", "smtpd") == Received(SECOND, CLIENT)
    login = f"{SECOND}: client={CLIENT}, sasl_method=PLAIN, sasl_username=x, orig_queue_id={FIRST}"
    assert event_of(login, "split/smtpd") == Received(SECOND, CLIENT)


def test_each_program_says_only_its_own() -> None:
    assert event_of(f"{FIRST}: removed", "smtpd") is None
    assert event_of(f"{FIRST}: removed", "postsuper") == Deleted(FIRST)
    assert event_of(f"{FIRST}: placed on hold", "cleanup") is None
    assert read(f"Nov 26 22:22:13 mx other/qmgr[1]: {FIRST}: removed".encode(), NOW, UTC) is None


@given(st.binary(max_size=300))
def test_any_octets_are_no_error(octets: bytes) -> None:
    read(octets, NOW, UTC)
    for program in ("smtpd", "smtp", "qmgr", "cleanup", "bounce", "pickup", "postsuper"):
        read(line(f"{FIRST}: ", program) + octets, NOW, UTC)


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=60))
def test_any_words_come_back_whole(words: str) -> None:
    found = event_of(f"{FIRST}: to=<a@b.example>, relay=r, delay=1, dsn=4.0.0, status=deferred ({words})")
    assert isinstance(found, Attempt)
    assert (found.recipient, found.status, found.words) == ("a@b.example", "deferred", words)


@pytest.mark.parametrize("piece", ["[", "; from=<", '"', "\\", ", a=b", "<"])
def test_no_line_takes_long(piece: str) -> None:
    for program in ("smtpd", "smtp", "cleanup", "qmgr"):
        for begin in ("", "reject: RCPT from a[b]: ", "to=<", "hold: ", "to=<a>, relay=b"):
            read(line(f"{FIRST}: {begin}" + piece * (8000 // len(piece)), program), NOW, UTC)
