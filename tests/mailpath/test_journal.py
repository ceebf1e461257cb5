"""One row a message, with what was decided for each recipient and why; found by all that a person may have in hand."""

import json
from typing import Any

from smtpy.store.engine import open_engine
from smtpy.store.rows import entries
from tests.mailpath.script import message
from tests.mailpath.town import Town, at_home
from tests.waiting import until


def journal(town: Town, about: str, rows: int) -> list[dict[str, Any]]:
    """What `smtpy log` knows about something, when it knows so many rows: they are written in batches."""

    def enough() -> list[dict[str, Any]] | None:
        found = town.stand.cli("log", about, "--json", "--limit", "100")
        assert found.returncode == 0, found.stderr
        messages: list[dict[str, Any]] = json.loads(found.stdout)
        listed = [row for each in messages for row in (*each["passes"], each)]
        return listed if len(listed) >= rows else None

    return until(enough, f"{rows} rows about {about}", timeout=10)


def test_a_row_is_found_by_everything_it_names(town: Town) -> None:
    mark = town.mark()
    answers = town.stand.send(f"{mark}@sender.example", [f"team+{mark}@north.example"], message(mark).encode())
    assert answers.data is not None
    queue_id = answers.data.text.rpartition(" ")[2]
    [row] = journal(town, f"<{mark}@sender.example>", 1)
    assert row["queue_id"] == queue_id
    assert row["reverse_path"] == f"{mark}@sender.example"
    assert row["client"] == "127.0.0.2"
    assert row["size"] == len(message(mark))
    assert (row["stage"], row["verdict"]) == ("front", "accept")
    [recipient] = row["recipients"]
    assert recipient["recipient"] == f"team+{mark}@north.example"
    assert recipient["key"] == "team@north.example"
    assert (recipient["decision"], recipient["why"]) == ("forward", "alias with an extension")
    assert recipient["targets"] == list(at_home("ann ben"))
    for about in (queue_id, row["uuid"], f"{mark}@sender.example"):
        assert journal(town, about, 1) == [row], about
    assert row in journal(town, "team@north.example", 1)


def test_a_drop_is_recorded_before_the_client_hears_250(town: Town) -> None:
    """Several times, since a batch may be written in the very moment."""
    engine = open_engine(town.settings.database_url)
    try:
        for mark in (town.mark() for _ in range(5)):
            assert town.stand.send("alice@sender.example", ["quiet@north.example"], message(mark).encode()).accepted
            [row] = entries(engine, about=f"<{mark}@sender.example>", limit=2, before=None)
            [recipient] = row.recipients
            assert (recipient.decision, recipient.why) == ("drop", "alias is switched off")
            assert town.arrivals(mark, 0) == []
    finally:
        engine.dispose()


def test_a_drop_is_found_by_the_alias(town: Town) -> None:
    mark = town.mark()
    assert town.stand.send("alice@sender.example", ["Quiet+x@north.example"], message(mark).encode()).accepted
    [row] = [row for row in journal(town, "quiet@north.example", 1) if mark in row["message_id"]]
    assert [each["decision"] for each in row["recipients"]] == ["drop"]


def test_one_row_names_each_recipient_and_its_decision(town: Town) -> None:
    mark = town.mark()
    path = f"{town.srs.forward('alice', 'sender.example', town.today())}@north.example"
    recipients = ["sales@north.example", "quiet@north.example", "postmaster@north.example", path]
    assert town.stand.send("", recipients, message(mark).encode()).accepted
    [row] = journal(town, f"<{mark}@sender.example>", 1)
    assert [each["decision"] for each in row["recipients"]] == ["forward", "drop", "forward", "return"]
    assert row["recipients"][3]["targets"] == ["alice@sender.example"]


def test_a_refusal_at_the_end_is_recorded(town: Town) -> None:
    mark = town.mark()
    answers = town.stand.send("alice@sender.example", ["little@small.example"], message(mark, 2500).encode())
    assert answers.data is not None
    assert str(answers.data).startswith("552 5.3.4")
    [row] = journal(town, f"<{mark}@sender.example>", 1)
    assert row["verdict"] == "refuse"
    assert row["recipients"][0]["decision"] == "refuse"
    assert "2500 octets" in row["why"]
