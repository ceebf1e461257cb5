"""New keys for a domain, as its owner gets them: published, seen by our own check, used; the old ones still verify."""

from tests.judges.forwarder import Forwarder
from tests.judges.names import Names
from tests.judges.places import Kept
from tests.judges.sender import Sender
from tests.judges.verifiers import JUDGES, Panel, holds
from tests.waiting import until

DOMAIN = "other.example"


def test_mail_is_signed_by_keys_that_dns_shows(
    names: Names, forwarder: Forwarder, sender: Sender, kept: Kept, panel: Panel
) -> None:
    old = forwarder.selectors(DOMAIN)
    letters = {"before": through(sender, kept)}
    forwarder.cli("key", "rotate", DOMAIN)
    forwarder.cli("domain", "check", DOMAIN, check=False)  # says that records are missing
    assert forwarder.selectors(DOMAIN) == old
    letters["between"] = through(sender, kept)
    forwarder.publish(names, DOMAIN)
    new = forwarder.selectors(DOMAIN)
    assert not new & old
    # Within a second or so the mail path has heard of it.
    letters["after"] = until(lambda: signed_by(new, through(sender, kept)), "a letter signed by the new keys")
    for judge in JUDGES:
        opinions = panel.verdicts(judge, letters)
        used = {name: {s for (d, s), _ in each.dkim.items() if d == DOMAIN} for name, each in opinions.items()}
        assert used == {"before": old, "between": old, "after": new}
        assert all(holds(judge, each, DOMAIN) for each in opinions.values()), opinions


def through(sender: Sender, kept: Kept) -> bytes:
    """A letter as it arrives by an alias of the domain."""
    mark, letter = sender.letter()
    (answer,) = sender.send([f"kept@{DOMAIN}"], sender.signed(letter))
    assert answer.code == 250, answer
    return kept.wait_for(mark)[0].data


def signed_by(selectors: set[str], letter: bytes) -> bytes | None:
    """The letter, if all of them have signed it."""
    return letter if all(f" s={each};".encode() in letter.replace(b"\t", b" ") for each in selectors) else None
