"""What leaves: every letter as a message, and what is said when the server does not take it."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from smtpy.net import Endpoint
from smtpy.notices import letters
from smtpy.notices.letters import Letter, untranslated
from smtpy.notices.message import composed
from smtpy.notices.post import Post, Undelivered
from tests.inbox import Inbox
from tests.waiting import free_ports

LINK = "https://mail.our.example/auth/x/token"
HOST = "mx.our.example"
SENDER = f"smtpy@{HOST}"
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAIN = (letters.sign_up, letters.have_one, letters.address, letters.mailbox, letters.reset)
ALL = [
    *(make(untranslated, LINK, HOST) for make in PLAIN),
    letters.invitation(untranslated, LINK, HOST, "root@our.example"),
    letters.new_device(untranslated, LINK, "Firefox on Linux", "192.0.2.0"),
    letters.new_device(untranslated, LINK, "", "192.0.2.0"),
    *(letters.changed(untranslated, LINK, what) for what in letters.CHANGES),
]


def written(letter: Letter, to: str = "ann@people.example") -> EmailMessage:
    return composed(letter, sender=SENDER, to=to, host=HOST, language="en", now=NOW)


def read(message: EmailMessage) -> EmailMessage:
    found = message_from_bytes(message.as_bytes(), policy=policy.SMTP)
    assert isinstance(found, EmailMessage)
    return found


class Words(HTMLParser):
    """What somebody reads, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.links = "", set[str]()
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}


@pytest.mark.parametrize("letter", ALL, ids=lambda letter: letter.subject)
def test_a_letter_says_the_same_in_text_and_in_html(letter: Letter) -> None:
    message = read(written(letter))
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    seen = Words(html.get_content())
    for words in (*letter.before, *letter.after, letter.label, LINK):
        assert words in text.get_content()
        assert words in seen.words
    assert seen.links == {LINK}  # nothing is loaded from anywhere
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("to", ["ann@people.example", '"a b"@people.example', "jürgen@people.example"])
def test_every_address_can_be_written_to(to: str) -> None:
    assert written(ALL[0], to)["To"].addresses[0].addr_spec == to


def test_html_takes_nothing_for_markup() -> None:
    letter = Letter("<b>", ("<script>alert(1)</script>",), 'https://x.example/"><b>', "<i>")
    html = read(written(letter)).get_body(("html",))
    assert html is not None
    for raw in ("<script>", "<i>", '"><b>'):
        assert raw not in html.get_content()


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@evil.example", "a\nb"])
def test_37_a_header_is_one_line(subject: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        written(Letter(subject, ("",)))


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    (port,) = free_ports(1)
    made = Inbox(port)
    made.start()
    yield made
    made.stop()


def test_it_arrives(inbox: Inbox) -> None:
    post = Post(Endpoint(host="127.0.0.1", port=inbox.port), SENDER, HOST)
    assert post.answers()
    post.send(written(ALL[0]), "ann@people.example")
    post.send(written(ALL[0], "jürgen@people.example"), "jürgen@people.example")
    (first, second) = inbox.deliveries
    assert (first.reverse_path, first.recipients) == (SENDER, ("ann@people.example",))
    assert second.recipients == ("jürgen@people.example",)
    assert "SMTPUTF8" in second.mail_options


def test_a_recipient_that_is_refused_is_told_without_its_name(inbox: Inbox) -> None:
    inbox.replies["ann@people.example"] = "550 5.1.1 ann@people.example: no such user"
    post = Post(Endpoint(host="127.0.0.1", port=inbox.port), SENDER, HOST)
    with pytest.raises(Undelivered, match="refused the recipient: 550") as raised:
        post.send(written(ALL[0]), "ann@people.example")
    assert "ann" not in str(raised.value)


@pytest.mark.parametrize("kind", ["inet", "unix"])
def test_a_server_that_is_not_there(kind: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    server = Endpoint(host="127.0.0.1", port=port) if kind == "inet" else Endpoint(path=str(tmp_path / "none"))
    post = Post(server, SENDER, HOST)
    assert not post.answers()
    with pytest.raises(Undelivered, match="is not to be had"):
        post.send(written(ALL[0]), "ann@people.example")


def test_a_server_on_a_unix_socket_that_hangs_up(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def hang_up() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"421 4.3.2 not now\r\n")

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert not Post(Endpoint(path=path), SENDER, HOST).answers()
        thread.join()
