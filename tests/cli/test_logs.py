"""Strangers' words on the administrator's terminal; lines for programs; and addresses that lines do not tell."""

import json
import logging
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.cli.logs import FORM, JsonLine, Line, redacted, visible

WORDS = {
    "plain words, jörg \u6e2c": "plain words, jörg \u6e2c",
    "\x1b[31mred\x1b]0;title\x07": "\\x1b[31mred\\x1b]0;title\\x07",
    "two\r\nlines": "two\\r\\nlines",
    "\u202egpj.exe": "\\u202egpj.exe",
    "lone \udcff": "lone \\udcff",
    "": "",
}
# What a line says: with domains, and without any of it.
TOLD = {
    "from=<> to=<bob@a.example>,<jörg@b.example> why='exact alias'": (
        "from=<> to=<*@a.example>,<*@b.example> why='exact alias'",
        "from=<> to=<*>,<*> why='exact alias'",
    ),
    "from=<MAILER-DAEMON> to=<>": ("from=<*> to=<>", "from=<*> to=<>"),
    'to=<"a b"@a.example>': ("to=<*@a.example>", "to=<*>"),
    "to=<a b@a.example> why=''": ("to=<*@a.example> why=''", "to=<*> why=''"),  # as policy delegation has it
    "to=<a>b c@a.example> why=''": ("to=<*@a.example> why=''", "to=<*> why=''"),
    "from=<SRS0=x=y=b.example=bob@a.example>": ("from=<*@a.example>", "from=<*>"),
    "to=<bob@a.example.>": ("to=<*@a.example.>", "to=<*>"),
    "from=<bob@[IPv6:2001:db8::1]>": ("from=<*@[IPv6:2001:db8::1]>", "from=<*>"),
    "tempfail asked=b'aliases a b@a.example' why='away'": (
        "tempfail asked=b'*@a.example' why='away'",
        "tempfail asked=b'*' why='away'",
    ),
    "asked=b'aliases o\\'b@a.example'": ("asked=b'*@a.example'", "asked=b'*'"),
    "why='bob@a.example is off'": ("why='*@a.example is off'", "why='* is off'"),
    "why='is off: o\\'brien@a.example'": ("why='is off: *@a.example'", "why='is off: *'"),
    "see 'a b' and \"c d\"@a.example.": ("see 'a b' and *@a.example.", "see 'a b' and *."),
    "GET /x?to=bob%40a.example": ("GET *@a.example", "GET *"),
    "check domain=a.example ok=3": ("check domain=a.example ok=3", "check domain=a.example ok=3"),
    "50% of 2 <none>": ("50% of 2 <none>", "50% of 2 <none>"),
    "[parameters: ('bob', 'a.example')]\nnext": ("[parameters: *\nnext", "[parameters: *\nnext"),
    "DETAIL:  Key (local)=(bob) exists.": ("DETAIL:*.", "DETAIL:*."),
}


@pytest.mark.parametrize(("words", "shown"), WORDS.items(), ids=[ascii(each) for each in WORDS])
def test_no_words_move_the_cursor(words: str, shown: str) -> None:
    assert visible(words) == shown
    record = logging.LogRecord("smtpy", logging.INFO, "", 0, "from=<%s>", (words,), None)
    assert Line("%(message)s").format(record) == f"from=<{shown}>"
    line = JsonLine("milter").format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == f"from=<{words}>"


@pytest.mark.parametrize(("words", "shown"), TOLD.items(), ids=[ascii(each) for each in TOLD])
def test_addresses_are_told_as_far_as_asked_for(words: str, shown: tuple[str, str]) -> None:
    assert redacted(words, "full") == words
    assert (redacted(words, "domain"), redacted(words, "none")) == shown


@given(st.text(st.sampled_from("ab@<>\"'\\= ,%40\n"), max_size=40), st.sampled_from(["domain", "none"]))
def test_whatever_stands_around_it_an_address_is_not_told(around: str, addresses: str) -> None:
    for line in (f"{around} from=<secret@a.example> {around}", f"{around} secret@a.example {around}"):
        assert "secret" not in redacted(line, addresses)  # type: ignore[arg-type]


def test_long_words_of_strangers_take_no_time() -> None:
    started = time.process_time()
    for words in ("a" * 100_000, '"' * 10_000, "=<" * 10_000, "%" * 100_000, "asked='" * 10_000, "@" * 100_000):
        redacted(words, "none")
    assert time.process_time() - started < 2


def failing(template: str, *values: object) -> logging.LogRecord:
    """A record of ours with a traceback that tells an address."""
    try:
        raise LookupError("no bob@a.example here")
    except LookupError:
        return logging.LogRecord("smtpy.milter", logging.ERROR, "", 0, template, values, sys.exc_info())


def test_what_a_template_names_is_a_member_in_json() -> None:
    template = "%s: from=<%s> to=%s plan=%s edits=%d why=%r"
    record = failing(template, "4F2x", "", "<bob@a.example>", "accept", 2, "it's an alias")
    told = json.loads(JsonLine("milter").format(record))
    assert told.pop("time").endswith("Z")
    assert "bob@a.example" in told.pop("traceback")
    assert told == {
        "level": "error",
        "process": "milter",
        "logger": "smtpy.milter",
        "message": """4F2x: from=<> to=<bob@a.example> plan=accept edits=2 why="it's an alias\"""",
        "queue_id": "4F2x",
        "from": "<>",
        "to": "<bob@a.example>",
        "plan": "accept",
        "edits": 2,
        "why": "it's an alias",
    }


@pytest.mark.parametrize("form", [JsonLine("milter", "none"), Line(FORM.format(process="milter"), "none")])
def test_neither_members_nor_tracebacks_tell_an_address(form: Line) -> None:
    record = failing("NOQUEUE: to=<%s> asked=%r why=%r", "a bob@a.example", b"aliases a bob@a.example", "bob@a.example")
    told = form.format(record)
    assert "LookupError: no * here" in told
    assert "bob" not in told.replace('raise LookupError("no bob@a.example here")', "")
