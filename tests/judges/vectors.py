"""Messages that are hard to carry unharmed, and those of the corpus mime-stalwart, as SMTP can carry them."""

import re

from tests.corpora import corpus

DATE = b"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n"
TOP = b"From: alice@sender.example\r\nTo: sales@pen.example\r\nSubject: hello\r\n" + DATE

VECTORS = {
    "plain": TOP + b"\r\nhello\r\n",
    "no body": TOP + b"\r\n",
    "empty lines": TOP + b"\r\n\r\n\r\nhello\r\n\r\n\r\n\r\n",
    "only empty lines": TOP + b"\r\n\r\n\r\n\r\n",
    "blanks": TOP + b"X: y \t \r\n\r\nhello \t there\t\r\n \r\n\t\r\n a\r\n",
    "dots": TOP + b"\r\n.\r\n..\r\n...x\r\n",
    "eight bits": TOP + b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nJ\xc3\xb6rg \xff\xfe\r\n",
    "eight bits in the header": TOP.replace(b"hello", "Grüße".encode()) + b"\r\nhello\r\n",
    "long lines": TOP + b"\r\n" + b"x" * 3000 + b"\r\n" + b"y " * 2000 + b"\r\n",
    "folds": TOP + b"Reply-To:\r\n alice@sender.example,\r\n\t\r\n bob@sender.example\r\nX-A: a\r\n b\r\n\r\nhello\r\n",
    "blanks at the colon": b"From:alice@sender.example\r\nSubject:\thello\r\nTo:   x@pen.example  \r\n\r\nhello\r\n",
    "fields twice": TOP + b"To: x@pen.example\r\nSubject: other\r\nX: 1\r\nX: 2\r\n\r\nhello\r\n",
    "only From": b"From: alice@sender.example\r\n\r\nhello\r\n",
    "a list": TOP + b"List-Id: <l.sender.example>\r\nList-Unsubscribe: <https://sender.example/off>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nSender: list@sender.example\r\n\r\nhello\r\n",
    "large": TOP + b"\r\n" + b"".join(b"line %d of many \r\n" % number for number in range(20_000)),
}


def messages() -> dict[str, bytes]:
    """All of them."""
    return VECTORS | {path.name: as_sent(path.read_bytes()) for path in sorted(corpus("mime-stalwart").glob("*.eml"))}


def as_sent(data: bytes) -> bytes:
    """The text of a file as SMTP can carry it."""
    return re.sub(rb"\r?\n", b"\r\n", data).removesuffix(b"\r\n") + b"\r\n"
