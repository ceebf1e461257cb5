"""The whole way, from a sender's host through SMTPy and its Postfix to a receiver that checks everything: who is
believed, who is refused, and by whom.
"""

import re

import pytest

from tests.judges.footing import WANTED
from tests.judges.forwarder import Forwarder
from tests.judges.passing import FOOTER
from tests.judges.places import Way
from tests.judges.receiver import Receiver
from tests.judges.sender import Sender, sealed
from tests.judges.verifiers import KNOW_ARC, Panel

pytestmark = pytest.mark.usefixtures("forwarder", "way")

RESULTS = re.compile(rb"(?m)^Authentication-Results: in\.gmail\.example;((?:.*\n[ \t])*.*\n)")
BELIEVED = {"spf": "pass", "dmarc": "pass", "arc": "pass"}
REFUSED = "bounced (host in.gmail.example[203.0.113.20] said: 554 5.7.1"
# What is done to mail behind us: whether gmail.example believes it.
ON_THE_WAY = {
    "as-it-is": True,
    "footer": False,
    "footer-sealed": True,  # by another sealer, on top of our seal, which is the one that is trusted
    "subject": False,
    "sealed-then-changed": False,
    "results-changed": False,
}


def found_by(receiver: Receiver, mark: str) -> dict[str, str]:
    """The results that gmail.example has put on that message: method and result."""
    (field,) = RESULTS.findall(receiver.wait_for(mark))
    return dict(re.findall(r"(spf|dmarc|arc)=(\w+)", field.decode()))


def test_aligned_dkim_passes_through(sender: Sender, receiver: Receiver) -> None:
    mark, letter = sender.letter()
    (answer,) = sender.send(["gmail@our.example"], sender.signed(letter))
    assert answer.code == 250, answer
    assert found_by(receiver, mark) == BELIEVED
    (arrived,) = receiver.marked(mark)
    assert b"\nFrom: Alice <alice@sender.example>\n" in arrived


def test_the_null_path_passes_through_too(sender: Sender, receiver: Receiver) -> None:
    """A bounce, say: SPF has only our host's name to go by then, and the signature speaks for the author."""
    mark, letter = sender.letter()
    (answer,) = sender.send(["gmail@our.example"], sender.signed(letter), sender="")
    assert answer.code == 250, answer
    assert found_by(receiver, mark) == BELIEVED | {"spf": "none"}
    assert receiver.wait_for(mark).startswith(b"Return-Path: <>\n")


def test_what_its_author_disowns_is_refused_in_the_session(sender: Sender, receiver: Receiver) -> None:
    mark, unsigned = sender.letter()
    tampered = sender.signed(unsigned).replace(b"hello\r\n", b"hallo\r\n")
    foreign = sender.signed(unsigned, domain="list.example")
    for path in (sender.address, "thief@thief.example", ""):
        answers = sender.send(["gmail@our.example"], unsigned, tampered, foreign, host=sender.thief, sender=path)
        assert {(each.code, each.status) for each in answers} == {(550, "5.7.26")}, answers
    assert not receiver.marked(mark)


def test_dns_trouble_refuses_nothing(sender: Sender, receiver: Receiver, forwarder: Forwarder) -> None:
    mark, letter = sender.letter()
    signed = sender.signed(letter.replace(b"alice@sender.example", b"alice@deaf.example"), domain="deaf.example")
    (answer,) = sender.send(["gmail@our.example"], signed, host=sender.thief, sender="alice@deaf.example")
    assert answer.code == 250, answer
    assert receiver.wait_for(mark)


def test_who_is_known_by_spf_alone_writes_as_the_alias(sender: Sender, receiver: Receiver) -> None:
    mark, unsigned = sender.letter()
    (answer,) = sender.send(["gmail@our.example"], unsigned)
    assert answer.code == 250, answer
    assert found_by(receiver, mark) == BELIEVED
    (arrived,) = receiver.marked(mark)
    (author,) = re.findall(rb"(?m)^From: ((?:.*\n[ \t])*.*)\n", arrived)
    assert author.split()[-1] == b"<gmail@our.example>"
    assert b"Alice" in author
    assert re.search(rb"(?m)^Reply-To: <?alice@sender\.example>?$", arrived)


@pytest.mark.parametrize(("change", "believed"), ON_THE_WAY.items())
def test_mail_changed_behind_us(sender: Sender, receiver: Receiver, way: Way, change: str, believed: bool) -> None:
    mark, letter = sender.letter()
    (answer,) = sender.send([f"{change}@our.example"], sender.signed(letter))
    assert answer.code == 250, answer
    passed = way.passed(change)
    assert passed.code == (250 if believed else 554), passed
    if believed:
        assert found_by(receiver, mark)["arc"] == "pass"


def test_a_footer_of_our_own_is_believed_for_our_seal(sender: Sender, receiver: Receiver, forwarder: Forwarder) -> None:
    """It breaks the author's signature, and SMTPy has seen that signature pass before: the chain says so."""
    mark, letter = sender.letter(WANTED)
    recipients = ["gmail@our.example", "gmail@keyless.example"]
    (answer,) = sender.send(recipients, sender.signed(letter))
    assert answer.code == 250, answer
    sealed = receiver.wait_for(mark)
    assert FOOTER.replace(b"\r\n", b"\n") in sealed
    assert b"\nARC-Seal: " in sealed
    assert found_by(receiver, mark) == {"spf": "pass", "dmarc": "fail", "arc": "pass"}
    fates = sorted(forwarder.fates(mark, 2))
    assert [fate.partition(" ")[0] for fate in fates] == ["bounced", "sent"], fates
    assert fates[0].startswith(REFUSED), fates
    assert len(receiver.marked(mark)) == 1


def test_a_list_that_we_trust_vouches_for_its_author(sender: Sender, receiver: Receiver) -> None:
    """It saw the author's signature pass before it changed the message. gmail.example trusts us and not the list."""
    mark, letter = sender.letter()
    changed = sender.signed(letter) + FOOTER
    told = "dkim=pass header.d=sender.example; dmarc=pass header.from=sender.example"
    letters = [changed, sealed(changed, sender.key.pem, "list.example", told)]
    answers = sender.send(["gmail@our.example"], *letters, host=sender.thief, sender="list@list.example")
    assert [each.code for each in answers] == [550, 250], answers
    assert found_by(receiver, mark) == BELIEVED


def test_a_chain_broken_before_us_does_no_harm_to_a_signature(sender: Sender, receiver: Receiver, panel: Panel) -> None:
    """We say that it is broken, and the author's own signature still speaks for the message."""
    mark, letter = sender.letter()
    chained = sealed(sender.signed(letter), sender.key.pem, "list.example", "dmarc=pass header.from=sender.example")
    (answer,) = sender.send(["gmail@our.example"], chained.replace(b"dmarc=pass", b"dmarc=fail", 1), host=sender.thief)
    assert answer.code == 250, answer
    assert found_by(receiver, mark) == BELIEVED | {"arc": "reject"}  # rspamd's word for it
    (arrived,) = receiver.marked(mark)
    assert b"cv=fail" in arrived
    for judge in KNOW_ARC:
        assert panel.verdicts(judge, {"it": arrived.replace(b"\n", b"\r\n")})["it"].arc == "fail"
