"""Cases as text: an envelope and a header go in, the plan comes out.

A .case file holds blocks separated by `====`. Above `--` stand `from ADDRESS`, `to ADDRESS...`, `stage split`,
`size N`, `standing DMARC POLICY AUTHOR ARC SPF [avd]` (routing/standing.py) and header fields; below it the expected
plan, one edit a line. `{mark:ADDRESS}` stands for that alias's mark, `{trace:ADDRESS,...}` for a signed trace field of
another message, `{note:...}` for what the first pass leaves in one. To see what a case gives now, let it fail.
"""

import re
from pathlib import Path

import pytest

from smtpy.authn.suffixes import Suffixes
from smtpy.directory.entries import Domain
from smtpy.directory.questions import Unavailable
from smtpy.mail import trace
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import MAX_FIELDS, Field, Message
from smtpy.mail.trace import Trace
from smtpy.routing.arrival import Arrival, Stage
from smtpy.routing.ask import ask
from smtpy.routing.edits import (
    AddField,
    ChangeField,
    ChangeReversePath,
    Edit,
    Hold,
    RememberSender,
    RemoveField,
    ReplaceRecipient,
    edited,
)
from smtpy.routing.outcome import Plan, Verdict
from smtpy.routing.plan import MAX_FOREIGN, plan
from smtpy.routing.standing import Standing
from smtpy.signing.body import BodyDigest
from smtpy.signing.result import Result
from tests.routing.world import HOUSE, NOW, TERMS, World

TAGS = re.compile(r"\b(?:a|cv|d|i)=[^;]+")
KEY = TERMS.keys[0]
CASES = [
    pytest.param(block, id=f"{path.stem}: {block.strip().splitlines()[0].removeprefix('# ')}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.case"))
    for block in path.read_text().split("====\n")
]


@pytest.mark.parametrize("block", CASES)
def test_case(block: str) -> None:
    given, _, expected = block.partition("\n--\n")
    assert "\n".join(said(decide(given))) == fill(expected).strip()


def test_there_are_cases():
    assert len(CASES) > 15


def fill(text: str) -> str:
    text = re.sub(r"\{mark:([^}]+)\}", lambda found: trace.mark(KEY, found[1]), text)

    def signed(found: re.Match[str]) -> str:
        marks = tuple(trace.mark(KEY, alias) for alias in found[1].split(","))
        return trace.write(Trace("earlier", marks), KEY)

    text = re.sub(r"\{note:([^}]+)\}", lambda found: trace.write(Trace("first", (), found[1]), KEY), text)
    return re.sub(r"\{trace:([^}]+)\}", signed, text)


def decide(given: str) -> Plan:
    settings = {"from": "", "to": "", "stage": "front", "size": "1000", "standing": ""}
    fields = []
    for line in fill(given).strip().splitlines()[1:]:
        name, _, value = line.partition(" ")
        if name in settings:
            settings[name] = value
        else:
            name, _, value = line.partition(":")
            fields += [Field(name.encode(), value.encode())] * (7 if name == "Received" else 1)
    envelope = Envelope(settings["from"], tuple(settings["to"].split()))
    stage = Stage(settings["stage"])
    message = Message(envelope, tuple(fields), int(settings["size"]))
    body = BodyDigest(b"d" * 32, 1000)
    arrival = Arrival("this", stage, message, NOW, standing(settings["standing"]), body)
    return plan(arrival, ask(envelope, stage, World(), HOUSE, NOW), TERMS)


def standing(words: str) -> Standing | None:
    if not words:
        return None
    dmarc, policy, author, chain, spf, *flags = words.split()
    named = author.replace("-", "").split("+")
    organizations = tuple(filter(None, map(Suffixes().organizational, named)))
    seen = [flag in "".join(flags) for flag in "avd"]
    results = (Result(chain), 0, Result(spf), Result(dmarc))
    return Standing(f"mx.example; dmarc={dmarc}", *results, policy.replace("-", ""), named[0], organizations, *seen)


def said(decided: Plan) -> list[str]:
    reply = f" {decided.reply}" if decided.reply else ""
    recorded = " recorded" if decided.must_record else ""
    return [
        f"{decided.verdict}{reply}{recorded}",
        *(f"{o.recipient} {o.decision}: {o.why}" for o in decided.outcomes),
        *(said_edit(edit) for edit in decided.edits),
    ]


def said_edit(edit: Edit) -> str:  # noqa: C901 - a table of all edits
    match edit:
        case ChangeReversePath(path):
            return f"reverse-path <{path}>"
        case RememberSender(token, sender):
            return f"remember {sender} as {token}"
        case AddField("DKIM-Signature" | "ARC-Message-Signature" | "ARC-Seal" as name, value):
            return f"add {name}: {' '.join(TAGS.findall(value))}"
        case AddField(name, value):
            return f"add {name}: {value.split('; s=')[0]}"
        case ChangeField(name, index, value):
            return f"change {name} {index}: {value}"
        case Hold(reason):
            return f"hold: {reason}"
        case RemoveField(name, index):
            return f"remove {name} {index}"
        case ReplaceRecipient(recipient, replacements):
            return f"replace <{recipient}> by {' '.join(replacements) or 'nobody'}"


def test_a_message_of_too_many_fields_is_refused() -> None:
    fields = (Field(b"a", b""),) * (MAX_FIELDS + 1)
    for count, verdict in ((MAX_FIELDS, Verdict.ACCEPT), (MAX_FIELDS + 1, Verdict.REFUSE)):
        envelope = Envelope("bob@sender.example", ("sales@a.example",))
        arrival = Arrival("this", Stage.FRONT, Message(envelope, fields[:count], 1000), NOW)
        assert plan(arrival, ask(envelope, Stage.FRONT, World(), HOUSE, NOW), TERMS).verdict is verdict


class Outage(World):
    """Knows our own domains by heart, and nothing of others any more."""

    def domain(self, name: str) -> Domain | None:
        if found := super().domain(name):
            return found
        raise Unavailable("the database is away")


def test_an_outage_does_not_put_off_senders_never_seen_before() -> None:
    answers = ask(Envelope("bob@unseen.example", ("sales@a.example",)), Stage.FRONT, Outage(), HOUSE, NOW)
    assert not answers.sender_is_ours
    with pytest.raises(Unavailable):
        ask(Envelope("bob@unseen.example", ("sales@unseen.example",)), Stage.FRONT, Outage(), HOUSE, NOW)


def test_fields_in_our_name_are_removed_up_to_a_number() -> None:
    """Postfix looks through all fields for each that goes: ten thousand of them would take it minutes."""
    envelope = Envelope("bob@sender.example", ("sales@a.example",))
    for count, verdict in ((MAX_FOREIGN, Verdict.ACCEPT), (MAX_FOREIGN + 1, Verdict.REFUSE)):
        fields = (Field(b"Subject", b" hello"), *(Field(b"Authentication-Results", b" mx.example; x"),) * count)
        arrival = Arrival("this", Stage.FRONT, Message(envelope, fields, 1000), NOW)
        decided = plan(arrival, ask(envelope, Stage.FRONT, World(), HOUSE, NOW), TERMS)
        assert decided.verdict is verdict
        if verdict is Verdict.ACCEPT:
            left = [each.name for each in edited(arrival.message, decided.edits).fields]
            assert left == [b"SMTPy-Trace", b"Subject"]
