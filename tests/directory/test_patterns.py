"""The patterns of automatic aliases: what they match, what is no pattern, and that none of them takes long."""

import time

import pytest

from smtpy.directory.patterns import MAX_PATTERN, BadPattern, compiled, matches

MATCHES = (
    ("order-[0-9]+", "order-12", True),
    ("order-[0-9]+", "order-", False),
    ("order", "order-1", False),  # the whole local part
    ("order", "my-order", False),
    ("a|b", "b", True),
    ("a|bc", "ac", False),  # not (a|b)c
    ("", "", True),
    ("", "a", False),
    ("jörg.*", "jörg-x", True),
    (".", "ö", True),  # characters, not octets
    ("(?i)order", "ORDER", True),
    ("a$", "a\n", False),
)


@pytest.mark.parametrize(("pattern", "local", "matching"), MATCHES)
def test_a_pattern_matches_the_whole_local_part(pattern, local, matching):
    assert matches(pattern, local) is matching


BAD = {
    "(": "missing",
    "[a": "missing",
    "a**": "repetition",
    r"(a)\1": "escape",
    "(?=a)": "invalid",
    "a{1001}": "repetition",
    "((((a{100}){100}){100}){100})": "repetition",
    "a" * (MAX_PATTERN + 1): "longer than 200 characters",
}


@pytest.mark.parametrize(("pattern", "why"), BAD.items(), ids=[text[:20] for text in BAD])
def test_what_is_no_pattern_is_refused_in_words(pattern, why):
    with pytest.raises(BadPattern, match=why) as refused:
        compiled(pattern)
    assert "b'" not in str(refused.value)


def test_no_pattern_takes_long():
    started = time.process_time()
    for pattern in ("(a+)+$", "(a|aa)+$", "(.*)*x", "(a?){100}a{100}"):
        matches(pattern, "a" * 63 + "!")
    assert time.process_time() - started < 1  # a backtracking engine takes hours
