"""What is signed when it comes is still signed when it arrives: other people's signatures, and ours above them, behind
the whole way, in the eyes of all judges; at a server of today and at one that takes seven bits only.
"""

import re
from collections.abc import Mapping

import pytest

from tests.corpora import corpus
from tests.inbox import Delivery
from tests.judges.names import Names, txt
from tests.judges.places import Kept
from tests.judges.sender import Sender
from tests.judges.vectors import as_sent, messages
from tests.judges.verifiers import JUDGES, Panel, holds
from tests.mailpath.test_bytes import VECTORS
from tests.waiting import until

AUTHOR = re.compile(rb"(?im)^From:")
ARC = re.compile(rb"(?m)^ARC-(?:Seal|Message-Signature):(?:.*\r\n[ \t])*.* ?d=([\w.]+);")
ODD_PATH = re.compile(r"=(one|two)(\d+)@(.*)$")
PATH = re.compile(r"=m(\d+)@our\.example$")
BARE_KEY = "002.txt"  # PKCS #1 without a frame, which none of the judges reads
# What a judge does not manage, before the message is sent as little as when it has arrived.
UNABLE = {
    # In its test mode it takes away blanks behind a colon, which are part of the simple form; From is no address.
    "opendkim": {"folds, simple", "blanks at the colon, simple", "rfc-001.eml, simple", "rfc-001.eml, relaxed"},
    # Of fields that stand twice it takes others than RFC 6376 section 5.4.2 does.
    "rspamd": {"fields twice, simple", "fields twice, relaxed"},
}

# The same of what is odd; Mail::DKIM manages all of it.
UNABLE_WHEN_ODD = {
    "opendkim": {"NUL in the body", "all octets"},
    "rspamd": {"repeated fields", "all octets"},
    "mailauth": {"no body"},  # nor an empty line behind the header
}

Carried = Mapping[str, Mapping[str, bytes]]  # by server, by name


@pytest.fixture(scope="module")
def carried(sender: Sender, names: Names, forwarder: object, kept: Kept, seven: Kept) -> Carried:
    """Every message, as it arrived at either server."""
    letters = {**signed(sender), **by_others(names)}
    to = ["kept@our.example", "seven@our.example"]
    answers = sender.send_all([(f"m{n}@{sender.domain}", to, data) for n, data in enumerate(letters.values())])
    refused = {name: answer for name, answer in zip(letters, answers, strict=True) if answer.code != 250}
    assert not refused

    def numbered(deliveries: list[Delivery]) -> dict[str, bytes]:
        found = [(PATH.search(each.reverse_path), each.data) for each in deliveries]
        return {list(letters)[int(number[1])]: data for number, data in found if number}

    until(lambda: all(len(numbered(each.all())) == len(letters) for each in (kept, seven)), "all arrived", 60)
    return {"kept": numbered(kept.all()), "seven": numbered(seven.all())}


def signed(sender: Sender) -> dict[str, bytes]:
    """Our vectors and a corpus, signed by dkimpy and opendkim."""
    found = {}
    for name, data in messages().items():
        if len(AUTHOR.findall(data.partition(b"\r\n\r\n")[0])) == 1:
            for form in ("simple", "relaxed"):
                found[f"{name}, {form}"] = sender.signed(data, form=form)
    return found


def by_others(names: Names) -> dict[str, bytes]:
    """Real messages; their keys go into our DNS."""
    found = {}
    for path in corpus("dkim-stalwart").glob("[0-9]*.txt"):
        if path.name == BARE_KEY:
            continue
        keys, _, data = as_sent(path.read_bytes()).partition(b"\r\n\r\n")
        names.publish(*(txt(*line.split(" ", 1)) for line in keys.decode().splitlines()))
        found[path.name] = data
    return found


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("server", ["kept", "seven"])
def test_every_signature_holds(panel: Panel, carried: Carried, server: str, judge: str) -> None:
    opinions = panel.verdicts(judge, carried[server])
    assert {name for name, each in opinions.items() if not holds(judge, each, "our.example")} == UNABLE.get(
        judge, set()
    )


@pytest.mark.parametrize("judge", JUDGES)
def test_each_copy_is_signed_and_sealed_by_its_own_domain(
    panel: Panel, sender: Sender, split: Mapping[str, bytes], judge: str
) -> None:
    for domain, opinion in panel.verdicts(judge, split).items():
        assert {each for each, _ in opinion.dkim} == {domain, sender.domain}
        assert holds(judge, opinion, domain), opinion
        assert ARC.findall(split[domain]) == [domain.encode()] * 2


@pytest.fixture(scope="module")
def split(sender: Sender, forwarder: object, kept: Kept) -> Mapping[str, bytes]:
    """A message to aliases of two domains, as it came for each; by domain."""
    mark, letter = sender.letter()
    domains = ("our.example", "other.example")
    (answer,) = sender.send([f"kept@{each}" for each in domains], sender.signed(letter))
    assert answer.code == 250, answer
    copies = kept.wait_for(mark, 2)
    assert sorted(each.reverse_path.partition("@")[2] for each in copies) == sorted(domains)
    return {each.reverse_path.partition("@")[2]: each.data for each in copies}


@pytest.mark.parametrize("judge", JUDGES)
def test_what_postfix_changes_it_has_changed_before_we_sign(
    panel: Panel, odd: Mapping[tuple[str, str], bytes], judge: str
) -> None:
    opinions = panel.verdicts(judge, odd)
    failed = {key: each for key, each in opinions.items() if not holds(judge, each, key[1])}
    assert {name.rpartition(",")[0] for name, _ in failed} == UNABLE_WHEN_ODD.get(judge, set()), failed


@pytest.fixture(scope="module")
def odd(sender: Sender, forwarder: object, kept: Kept) -> Mapping[tuple[str, str], bytes]:
    """Messages that Postfix does not leave as they are, by name and domain: for one alias, and split for two."""
    letters = {name: data for name, data in VECTORS.items() if AUTHOR.search(data)}
    sent = [
        (f"{way}{number}@{sender.domain}", to, data)
        for way, to in (("one", ["kept@our.example"]), ("two", ["kept@our.example", "kept@other.example"]))
        for number, data in enumerate(letters.values())
    ]
    assert {answer.code for answer in sender.send_all(sent)} == {250}

    def arrived() -> dict[tuple[str, str], bytes]:
        found = [(ODD_PATH.search(each.reverse_path), each.data) for each in kept.all()]
        return {(f"{list(letters)[int(m[2])]}, {m[1]}", m[3]): data for m, data in found if m}

    until(lambda: len(arrived()) == 3 * len(letters), "all arrived", 60)
    return arrived()
