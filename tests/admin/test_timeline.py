"""Journal and log joined: the end of each recipient, and the steps in their order."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from smtpy.admin import messages
from smtpy.admin.change import reading
from smtpy.admin.ends import State
from smtpy.admin.timeline import Timeline
from smtpy.store import migrate
from smtpy.store.engine import open_engine
from smtpy.store.rows import Delivery, Entry, entries
from smtpy.store.timeline import known
from tests.admin.post import attempt, entry, log, put, queue_id, to

ONE, TWO, THREE = (queue_id(number) for number in (1, 2, 3))
SALES, ANN = "sales@our.example", "ann@inbox.example"
REPORT = f"bounce: {ONE}: sender non-delivery notification: {TWO}"
QUEUED = f"qmgr: {ONE}: from=<SRS0=x@our.example>, size=500, nrcpt=2 (queue active)"
REMOVED = f"qmgr: {ONE}: removed"


@pytest.fixture
def engine(tmp_path: Path, sqlite: Path) -> Engine:
    path = tmp_path / "smtpy.db"
    path.write_bytes(sqlite.read_bytes())
    return open_engine(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("timeline") / "smtpy.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    return path


def of(engine: Engine, one: Entry) -> Timeline:
    with reading(engine) as session:
        return messages.timeline(session, one.uuid)


def states(found: Timeline) -> list[tuple[str, str, str]]:
    return [(each.recipient, each.target, str(each.state)) for each in found.ends]


DEFERRED = f"smtp: {attempt(ONE, ANN, 'deferred', 'host mx said: 450 Later', SALES)}"
SENT = f"smtp: {attempt(ONE, ANN, 'sent', '250 Ok', SALES)}"
BOUNCED = f"smtp: {attempt(ONE, ANN, 'bounced', 'host mx said: 550 No', SALES)}"
HELD, RELEASED = f"postsuper: {ONE}: placed on hold", f"postsuper: {ONE}: released from hold"
BY_MILTER = f"cleanup: {ONE}: milter-hold: END-OF-MESSAGE from a[192.0.2.1]: milter triggers HOLD action; from=<a@b>"
GAVE_UP = f"qmgr: {ONE}: from=<SRS0=x@our.example>, status=expired, returned to sender"
DROPPED = f"discard: {attempt(ONE, 'drop@drop.invalid', 'sent', 'dropped by its owner')}"
REQUEUED = f"pickup: {TWO}: uid=1 from=<a@b.example> orig_id={ONE}"
SENT_ANEW = f"smtp: {attempt(TWO, ANN, 'sent', '250 Ok', SALES)}"


@pytest.mark.parametrize(
    ("decision", "lines", "state", "words"),
    [
        ("forward", (), "accepted", "exact alias"),
        ("forward", (QUEUED,), "queued", "exact alias"),
        ("forward", (QUEUED, DEFERRED), "deferred", "host mx said: 450 Later"),
        ("forward", (QUEUED, DEFERRED, QUEUED, SENT, REMOVED), "delivered", "250 Ok"),
        ("forward", (QUEUED, BOUNCED), "bounced", "host mx said: 550 No"),
        ("forward", (QUEUED, BOUNCED, REPORT, REMOVED), "returned", "host mx said: 550 No"),
        ("forward", (QUEUED, BOUNCED, REMOVED), "bounced", "host mx said: 550 No"),  # nobody to tell
        ("forward", (QUEUED, DEFERRED, GAVE_UP, REPORT, REMOVED), "returned", "expired"),
        ("forward", (QUEUED, DEFERRED, GAVE_UP, REMOVED), "bounced", "expired"),
        ("forward", (QUEUED, DEFERRED, HELD), "held", ""),
        ("forward", (QUEUED, HELD, RELEASED), "queued", "exact alias"),
        ("forward", (QUEUED, HELD, RELEASED, SENT, REMOVED), "delivered", "250 Ok"),
        ("forward", (QUEUED, f"postsuper: {ONE}: removed"), "deleted", "exact alias"),
        ("forward", (QUEUED, REMOVED), "missing", "exact alias"),
        ("forward", (QUEUED, DEFERRED, REQUEUED, SENT_ANEW), "delivered", "250 Ok"),
        ("hold", (), "held", "exact alias"),
        ("hold", (BY_MILTER,), "held", "milter triggers HOLD action"),
        ("hold", (BY_MILTER, RELEASED, QUEUED, SENT, REMOVED), "delivered", "250 Ok"),
        ("loop", (QUEUED, REMOVED), "dropped", "exact alias"),
        ("as promised", (QUEUED, SENT), "delivered", "250 Ok"),
    ],
)
def test_the_end_of_a_recipient(engine: Engine, decision: str, lines: tuple[str, ...], state: str, words: str) -> None:
    one = entry(to(SALES, ANN, decision=decision))
    put(engine, one)
    log(engine, *lines)
    [end] = of(engine, one).ends
    assert (end.recipient, end.state) == (SALES, state)
    assert end.words == (words or "exact alias")
    assert of(engine, one).state == state


def test_a_drop(engine: Engine) -> None:
    one = entry(to("quiet@our.example", "drop@drop.invalid", decision="drop"), to(SALES, ANN))
    put(engine, one)
    assert [each.state for each in of(engine, one).ends] == [State.DROPPED, State.ACCEPTED]
    log(engine, QUEUED, DROPPED, SENT, REMOVED)
    assert [each.state for each in of(engine, one).ends] == [State.DROPPED, State.DELIVERED]


def test_a_refusal(engine: Engine) -> None:
    one = entry(
        to("off@our.example", decision="refuse", why="switched off"), stage="rcpt", verdict="refuse", queue_id=None
    )
    put(engine, one)
    found = of(engine, one)
    assert states(found) == [("off@our.example", "off@our.example", "refused")]
    assert found.state == State.REFUSED
    assert [each.kind for each in found.steps] == ["received", "decided"]


TURNED_AWAY = (
    f"cleanup: {ONE}: milter-reject: END-OF-MESSAGE from mx.sender.example[192.0.2.1]: 4.7.1 Service unavailable - try "
    "again later; from=<alice@sender.example> to=<other@elsewhere.example> proto=ESMTP helo=<mx.sender.example>"
)


@pytest.mark.parametrize("decision", ["forward", "split", "hold"])
def test_what_postfix_did_not_wait_for_was_refused(engine: Engine, decision: str) -> None:
    """The milter had decided and written its row; Postfix's line names one recipient of all, whosever that is."""
    one = entry(to(SALES, ANN, decision=decision))
    put(engine, one)
    log(engine, TURNED_AWAY)
    found = of(engine, one)
    (end,) = found.ends
    assert (end.state, end.words, end.relay) == (State.REFUSED, "4.7.1 Service unavailable - try again later", "")
    with reading(engine) as session:
        (shown,) = known(session, [each.id for each in entries(engine) if each.id], owner=None)
        assert [each.recipient for each in shown.happenings] == ["other@elsewhere.example"]
        (shown,) = known(session, [each.id for each in entries(engine) if each.id], owner=1)
        assert [(each.kind, each.recipient) for each in shown.happenings] == [("refused", None)]


def test_several_mailboxes_have_ends_of_their_own(engine: Engine) -> None:
    ben = "ben@inbox.example"
    one = entry(to("Sales+x@our.example", ANN, ben, key=SALES))
    put(engine, one)
    log(engine, QUEUED, f"smtp: {attempt(ONE, ANN, original='Sales+x@our.example')}")
    assert states(of(engine, one)) == [
        ("Sales+x@our.example", ANN, "delivered"),
        ("Sales+x@our.example", ben, "queued"),
    ]
    log(engine, f"smtp: {attempt(ONE, ben, 'deferred', 'no', 'Sales+x@our.example')}")
    assert of(engine, one).state == State.DEFERRED


def test_two_aliases_of_one_mailbox_are_told_apart(engine: Engine) -> None:
    one = entry(to(SALES, ANN), to("team@our.example", ANN))
    put(engine, one)
    log(engine, SENT, f"smtp: {attempt(ONE, ANN, 'bounced', 'no', 'team@our.example')}")
    assert [each.state for each in of(engine, one).ends] == [State.DELIVERED, State.BOUNCED]


def test_what_the_alias_led_to_at_rcpt_counts(engine: Engine) -> None:
    """Postfix expands at RCPT TO; what the journal says of the mailbox may be newer."""
    one = entry(to(SALES, "new@inbox.example"))
    put(engine, one)
    log(engine, QUEUED, SENT, REMOVED)
    assert states(of(engine, one)) == [(SALES, ANN, "delivered")]


SPLIT = "sales=our.example@split.invalid"
COPY = f"split/smtpd: {TWO}: client=localhost[127.0.0.1], orig_queue_id={ONE}, orig_client=a[192.0.2.1]"
COPIED = f"split/smtp: {attempt(ONE, SPLIT, 'sent', f'250 2.0.0 Ok: queued as {TWO}')}"
TO_ANN = f"smtp: {attempt(TWO, ANN, 'sent', '250 2.0.0 Ok: queued as 4jb9yYBYzJLf9')}"
OTHER = to("sales@two.example", "cat@inbox.example", decision="split")


def split(*recipients: Delivery) -> tuple[Entry, Entry]:
    one = entry(to(SALES, ANN, decision="split"), *recipients)
    return one, entry(to(SPLIT, ANN, key=SALES), stage="split", parent=one.uuid, queue_id=TWO)


def test_both_passes_are_one_message(engine: Engine) -> None:
    one, two = split(OTHER)
    put(engine, one, two)
    log(engine, QUEUED, COPY, f"qmgr: {TWO}: from=<SRS0=y@our.example>, size=600, nrcpt=1 (queue active)")
    log(engine, COPIED, TO_ANN, f"qmgr: {TWO}: removed")
    found = of(engine, one)
    assert states(found) == [(SALES, ANN, "delivered"), ("sales@two.example", "cat@inbox.example", "queued")]
    assert found.queue_ids == (ONE, TWO)
    assert [(each.kind, each.way) for each in found.steps] == [
        ("received", "front"),
        ("decided", "front"),
        ("decided", "front"),
        ("queued", "front"),
        ("decided", "split"),
        ("queued", "split"),
        ("copied", "front"),
        ("delivered", "split"),
        ("finished", "split"),
    ]
    with reading(engine) as session:
        assert messages.timeline(session, two.uuid) == found
        for about in (ONE, TWO, one.uuid, two.uuid, "<one@sender.example>", "one@sender.example", SALES, ANN):
            assert messages.page(session, about=about).messages == (found,), about


def test_a_second_pass_without_its_row_is_followed_all_the_same(engine: Engine) -> None:
    one, _ = split()
    put(engine, one)
    log(engine, QUEUED, COPY, COPIED, TO_ANN)
    assert states(of(engine, one)) == [(SALES, ANN, "delivered")]


def test_a_copy_that_waits_is_deferred(engine: Engine) -> None:
    one, _ = split(OTHER)
    put(engine, one)
    log(engine, QUEUED, f"split/smtp: {attempt(ONE, SPLIT, 'deferred', 'connect refused')}")
    assert [each.state for each in of(engine, one).ends] == [State.DEFERRED, State.QUEUED]


def test_a_second_pass_that_was_tried_again(engine: Engine) -> None:
    """Its first row stands for a 451; what counts is the file that came of it."""
    one, lost = split()
    put(engine, one, lost, entry(to(SPLIT, ANN, key=SALES), stage="split", parent=one.uuid, queue_id=THREE))
    log(engine, QUEUED, f"split/smtp: {attempt(ONE, SPLIT, 'sent', f'250 2.0.0 Ok: queued as {THREE}')}")
    log(engine, f"smtp: {attempt(THREE, ANN)}")
    assert states(of(engine, one)) == [(SALES, ANN, "delivered")]


def test_a_loop_in_the_second_pass_is_dropped(engine: Engine) -> None:
    one, _ = split()
    looping = entry(to(SPLIT, key=SALES, decision="loop", why="loop"), stage="split", parent=one.uuid, queue_id=TWO)
    put(engine, one, looping)
    log(engine, QUEUED, COPIED)
    assert states(of(engine, one)) == [(SALES, SALES, "dropped")]


def test_a_report_is_found_by_its_id_and_told_with_its_message(engine: Engine) -> None:
    one = entry(to(SALES, ANN))
    put(engine, one)
    log(engine, QUEUED, BOUNCED, REPORT, f"qmgr: {TWO}: from=<>, size=9, nrcpt=1 (queue active)")
    log(engine, f"smtp: {attempt(TWO, 'alice@sender.example', original='SRS0=x@our.example')}", REMOVED)
    found = of(engine, one)
    assert [(each.kind, each.way) for each in found.steps[-3:]] == [
        ("queued", "report"),
        ("delivered", "report"),
        ("finished", "front"),
    ]
    with reading(engine) as session:
        assert messages.page(session, about=TWO).messages == (found,)


def test_what_only_the_log_knows(engine: Engine) -> None:
    log(engine, QUEUED, SENT, REMOVED)
    with reading(engine) as session:
        found = messages.of_file(session, ONE)
    assert (found.uuid, found.state, found.entry.reverse_path) == (None, State.DELIVERED, "SRS0=x@our.example")
    assert states(found) == [(SALES, ANN, "delivered")]


def test_an_id_that_came_again_years_later_is_another_message(engine: Engine) -> None:
    one = entry(to(SALES, ANN))
    put(engine, one)
    log(engine, QUEUED, DEFERRED)
    log(engine, SENT, stamp="2024-11-26T22:22:13Z")
    assert of(engine, one).state == State.DEFERRED
