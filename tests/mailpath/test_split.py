"""One message, several plans: every copy on its own way, and nothing of the others in it."""

from tests.inbox import Delivery
from tests.mailpath.script import message
from tests.mailpath.test_journal import journal
from tests.mailpath.town import ALIASES, ISLES, SECRET, Town, assert_nothing_shows, at_home, copies, found
from tests.stand import StandFactory


def send(town: Town, recipients: list[str], *, client: str = "127.0.0.2", sender: str = "alice@sender.example") -> str:
    """One message to all of them; its mark."""
    mark = town.mark()
    answers = town.stand.send(sender, recipients, message(mark).encode(), client=client)
    assert answers.accepted, answers
    assert {answer.code for answer in answers.rcpt} == {250}
    return mark


def alice(town: Town, domain: str) -> str:
    """Her return address on that domain."""
    return f"{town.srs.forward('alice', 'sender.example', town.today())}@{domain}"


def only(deliveries: list[Delivery], recipient: str) -> Delivery:
    [found] = [each for each in deliveries if recipient in each.recipients]
    return found


def test_fifty_recipients_over_five_domains_get_one_copy_each(town: Town) -> None:
    aliases = {f"a{number}@{ISLES[number % 5]}": f"box{number}@{SECRET}" for number in range(50)}
    came = town.arrivals(send(town, list(aliases)), 50)
    paths = {domain: alice(town, domain) for domain in ISLES}
    assert copies(came) == sorted((box, paths[alias.rpartition("@")[2]]) for alias, box in aliases.items())
    for alias, box in aliases.items():
        copy = only(came, box)
        assert copy.recipients == (box,)
        assert copy.header.count(b"SMTPy-") == copy.header.count(b"SMTPy-Trace: ") == 1
        assert [each for each in aliases if each.encode() in copy.data.replace(b"=isle", b"@isle")] == [alias]
    assert_nothing_shows(came)


def test_each_copy_has_a_trace_of_its_own_that_names_the_message(town: Town) -> None:
    mark = send(town, ["sales@north.example", "sales@south.example"])
    traces = {each.header.partition(b"SMTPy-Trace: id=")[2][:36].decode() for each in town.arrivals(mark, 2)}
    rows = journal(town, f"<{mark}@sender.example>", 3)
    [front] = [row for row in rows if row["stage"] == "front"]
    seconds = [row for row in rows if row["stage"] == "split"]
    assert {row["uuid"] for row in seconds} == traces
    assert [row["parent"] for row in seconds] == [front["uuid"]] * 2
    assert sorted(each["decision"] for each in front["recipients"]) == ["split", "split"]
    assert sorted(row["recipients"][0]["targets"][0] for row in seconds) == sorted(at_home("ann ben"))


def test_several_mailboxes_behind_one_of_several_aliases(town: Town) -> None:
    came = town.arrivals(send(town, ["team@north.example", "sales@south.example", "whatever@south.example"]), 4)
    north, south = (
        f"{town.srs.forward('alice', 'sender.example', town.today())}@{each}.example" for each in ("north", "south")
    )
    ann, ben, cat = at_home("ann ben cat")
    assert copies(came) == sorted([(ann, north), (ben, north), (ben, south), (cat, south)])


def test_a_dropped_recipient_among_several_plans(town: Town) -> None:
    mark = send(town, ["sales@north.example", "quiet@north.example", "sales@south.example"])
    assert [to for to, _ in copies(town.arrivals(mark, 2))] == list(at_home("ann ben"))


def test_a_report_and_an_alias_need_no_split(town: Town) -> None:
    mark = send(town, ["sales@north.example", alice(town, "south.example")], sender="")
    assert copies(town.arrivals(mark, 2)) == [("alice@sender.example", ""), (*at_home("ann"), "")]
    assert len(journal(town, f"<{mark}@sender.example>", 1)) == 1


def test_what_a_neighbour_relays_keeps_its_sender(town: Town) -> None:
    """A copy for somebody else's address goes out as it would from bare Postfix."""
    mark = send(town, ["sales@north.example", "friend@elsewhere.example"], client="127.0.0.1")
    came = town.arrivals(mark, 2)
    assert dict(copies(came))["friend@elsewhere.example"] == "alice@sender.example"
    assert dict(copies(came))[at_home("ann")[0]].endswith("@north.example")
    assert_nothing_shows(came)


def test_an_alias_that_is_named_twice_is_split_once(town: Town) -> None:
    came = town.arrivals(send(town, ["sales+a@north.example", "sales+b@north.example", "sales@south.example"]), 2)
    assert [to for to, _ in copies(came)] == [*at_home("ann ben")]


def test_a_copy_may_be_larger_than_the_limit_its_message_kept_to(own_stand: StandFactory) -> None:
    """The trace and a Received come on top of what was accepted: the second pass has no limit that could be passed."""
    limit = 20_000
    settings = {"SMTPY_MESSAGE_SIZE_LIMIT": str(limit)}
    town = Town(own_stand(settings=settings, postfix=(f"message_size_limit = {limit}",)))
    found(town.stand)
    mark, said = town.mark(), []
    for octets in range(17_000, 19_000, 100):  # Postfix's limit is the queue file's, which is larger than its message
        data = message(f"{mark}-{octets}", octets).encode()
        said.append(town.stand.send("alice@sender.example", ["sales@north.example", "sales@south.example"], data))
    accepted = sum(each.accepted for each in said)
    assert 0 < accepted < len(said)
    assert len(town.arrivals(mark, 2 * accepted)) == 2 * accepted


def test_the_town_has_fifty_boxes() -> None:
    assert len([address for address in ALIASES if address.endswith(ISLES)]) == 50
