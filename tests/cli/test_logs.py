"""Strangers' words on the administrator's terminal."""

import logging

import pytest

from smtpy.cli.logs import Line, visible

WORDS = {
    "plain words, jörg \u6e2c": "plain words, jörg \u6e2c",
    "\x1b[31mred\x1b]0;title\x07": "\\x1b[31mred\\x1b]0;title\\x07",
    "two\r\nlines": "two\\r\\nlines",
    "\u202egpj.exe": "\\u202egpj.exe",
    "lone \udcff": "lone \\udcff",
    "": "",
}


@pytest.mark.parametrize(("words", "shown"), WORDS.items(), ids=[ascii(each) for each in WORDS])
def test_no_words_move_the_cursor(words: str, shown: str) -> None:
    assert visible(words) == shown
    record = logging.LogRecord("smtpy", logging.INFO, "", 0, "from=<%s>", (words,), None)
    assert Line("%(message)s").format(record) == f"from=<{shown}>"
