"""A seal continues the chain that came, in both passes, and covers the message as it leaves."""

from dataclasses import replace

import pytest

from smtpy.mail import trace
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field, Message
from smtpy.mail.trace import Trace
from smtpy.routing.arrival import Arrival, Stage
from smtpy.routing.ask import ask
from smtpy.routing.edits import edited
from smtpy.routing.plan import plan
from smtpy.routing.standing import RESULTS_FIELD, Standing
from smtpy.signing import arc, dkim
from smtpy.signing.arc import Validated
from smtpy.signing.body import OURS, BodyDigest, BodyHashes
from smtpy.signing.header import Header
from smtpy.signing.key import generate, load, public_of, record_of
from smtpy.signing.result import Result
from tests.dns import Zone
from tests.routing.world import HOUSE, KEYS, NOW, TERMS, VAULT, World

BODY = b"hello\r\n"
RESULTS = "mx.example; dmarc=pass"
LIST_KEY = generate("rsa-sha256")
ZONE = Zone(
    {
        "s._domainkey.lists.example": {"TXT": [record_of("rsa-sha256", public_of(LIST_KEY))]},
        **{
            f"{key.selector}._domainkey.{key.domain}": {
                "TXT": [record_of(key.algorithm, public_of(VAULT.open(key.private)))]
            }
            for key in KEYS["b.example"]
        },
    }
)


def body() -> BodyDigest:
    hashes = BodyHashes((OURS,))
    hashes.update(BODY)
    return hashes.finish()[OURS]


def from_a_list() -> tuple[Field, ...]:
    """A message that a list has sealed."""
    fields = (Field(b"From", b" bob@sender.example"), Field(b"Subject", b" hi"))
    signer = load(LIST_KEY, "rsa-sha256", "lists.example", "s")
    sealed = arc.seal(Header(fields), body(), Validated(Result.NONE, 0), signer, "lists.example; dmarc=pass", NOW)
    return (*(Field(name.encode(), f" {value}".encode()) for name, value in reversed(sealed)), *fields)


def arrived(stage: Stage) -> Arrival:
    standing = Standing(
        *(RESULTS, Result.PASS, 1, Result.NONE, Result.PASS, "reject", "sender.example", ("sender.example",)),
        aligned=True,
        vouched=False,
        doubtful=False,
    )
    fields, recipient = from_a_list(), "info@b.example"
    if stage is Stage.SPLIT:
        note = trace.write(Trace("first", (), standing.note), TERMS.keys[0])
        fields = (
            Field(b"SMTPy-Split", f" {note}".encode()),
            Field(RESULTS_FIELD.encode(), f" {RESULTS}".encode()),
            *fields,
        )
        recipient = "info=b.example@split.invalid"
    message = Message(Envelope("bob@sender.example", (recipient,)), fields, 1000)
    return Arrival("this", stage, message, NOW, standing if stage is Stage.FRONT else None, body())


@pytest.mark.parametrize("stage", Stage)
def test_what_leaves_verifies_in_every_part(stage: Stage) -> None:
    arrival = arrived(stage)
    envelope = arrival.message.envelope
    decided = plan(arrival, ask(envelope, stage, World(), HOUSE, NOW), TERMS)
    header = Header(edited(arrival.message, decided.edits).fields)
    assert decided.signed.endswith(", ARC")
    hashes = BodyHashes((OURS,))
    hashes.update(BODY)
    digests = hashes.finish()
    signatures = dkim.verify(header, dkim.signatures(header), digests, ZONE, NOW)
    assert [(each.result, each.domain) for each in signatures] == [(Result.PASS, "b.example")] * 2
    chain = arc.validate(header, arc.chain(header), digests, ZONE, NOW)
    assert (chain.result, chain.sealers) == (Result.PASS, ("lists.example", "b.example"))
    assert chain.results[-1] == RESULTS


def test_a_chain_that_failed_is_sealed_as_failed() -> None:
    arrival = arrived(Stage.FRONT)
    assert arrival.standing
    failed = replace(arrival, standing=replace(arrival.standing, chain=Result.FAIL))
    answers = ask(arrival.message.envelope, Stage.FRONT, World(), HOUSE, NOW)
    header = Header(edited(failed.message, plan(failed, answers, TERMS).edits).fields)
    found = arc.chain(header)
    assert (found.newest, found.closed) == (2, True)
