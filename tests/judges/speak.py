"""Sends messages by SMTP and says what was answered; see `tests.judges.internet.Host.ask`.

Asked {"server": name, "hello": name, "messages": [[reverse-path, [recipient, ...], text, parameters], ...]}, where text
has one character for each octet, it answers with the code, status and words that ended each transaction.
"""

import json
import socket
import sys

from tests.dialog import Answer, Answers, Dialog


class Call(Dialog):
    """A connection to port 25 of a host by its name."""

    def __init__(self, server: str) -> None:
        self._socket = socket.create_connection((server, 25), 60)
        self._lines = self._socket.makefile("rb")


def last(answers: Answers) -> Answer:
    """What the client heard in the end: of the message, or else of the first recipient, or of the sender."""
    return answers.data or (answers.rcpt or (answers.mail,))[0]


def main() -> None:
    """One connection for all messages."""
    asked = json.load(sys.stdin)
    said = []
    with Call(asked["server"]) as call:
        call.hello(asked["hello"])
        for sender, recipients, text, parameters in asked["messages"]:
            answer = last(call.transaction(sender, recipients, text.encode("latin-1"), parameters=parameters))
            said.append([answer.code, answer.status, answer.text])
        call.command("QUIT")
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
