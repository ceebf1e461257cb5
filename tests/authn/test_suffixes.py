"""Public suffixes, by our own vectors and by those of publicsuffix.org."""

import re

import pytest

from smtpy.authn.suffixes import Suffixes
from tests.corpora import corpus

VECTORS = {
    "com": "",
    "example.com": "example.com",
    "a.b.example.COM": "example.com",
    "example.com.": "example.com",
    "co.uk": "",
    "a.b.co.uk": "b.co.uk",
    "github.io": "",
    "a.b.github.io": "b.github.io",
    "city.kawasaki.jp": "city.kawasaki.jp",
    "a.b.unknown": "b.unknown",
    "unknown": "",
    "xn--85x722f.xn--55qx5d.cn": "xn--85x722f.xn--55qx5d.cn",
    "": "",
    ".com": "",
    "a..com": "",
}


@pytest.mark.parametrize(("domain", "expected"), VECTORS.items(), ids=list(VECTORS))
def test_organizational(domain: str, expected: str) -> None:
    assert Suffixes().organizational(domain) == expected


def test_is_suffix() -> None:
    assert [Suffixes().is_suffix(name) for name in ("co.uk", "com", "github.io", "example.com")] == [True] * 3 + [False]


def test_the_corpus() -> None:
    text = (corpus("psl") / "test_psl.txt").read_text("utf-8")
    cases = re.findall(r"^checkPublicSuffix\((?:'(.*?)'|null), (?:'(.*?)'|null)\);", text, re.MULTILINE)
    wrong = [(given, told) for given, told in cases if Suffixes().organizational(given) != told]
    assert (len(cases), wrong) == (78, [])
