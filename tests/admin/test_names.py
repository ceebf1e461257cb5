"""Names for new aliases: what an alias may be called and nobody guesses; a website's name, however it is given."""

import pytest

from smtpy.admin import names, read


@pytest.mark.parametrize("make", [names.words, names.characters, names.uuid, lambda: names.site("shop.example")])
def test_a_name_is_an_address_and_never_the_same(make: object) -> None:
    made = {make() for _ in range(200)}  # type: ignore[operator]
    assert len(made) == 200
    for name in made:
        assert read.alias_address(f"{name}@our.example").local == name


def test_words_are_many_and_each_once() -> None:
    for words in (names.QUALITIES, names.THINGS):
        assert len(words) == len(set(words)) > 150
        assert all(word.isalpha() and word.islower() for word in words)


SITES = {
    "bookshop.example": "bookshop",
    "https://www.Bookshop.example/basket?item=1#top": "bookshop",
    "https://user:pass@login.bookshop.example:8443/": "bookshop",
    "www.bookshop.co.uk": "bookshop",
    "shop.bookshop.co.uk": "bookshop",
    "Bookshop": "bookshop",
    "The old bookshop": "the-old-bookshop",
    "https://[::1]/": "1",
    "https://[": "",
    "": "",
    "ÄÖÜ": "",
    "..": "",
    "a" * 300 + ".example": "a" * 24,
}


@pytest.mark.parametrize(("given", "name"), SITES.items())
def test_a_websites_name(given: str, name: str) -> None:
    assert names.site_name(given) == name
    assert names.site(given).rpartition("-")[0] == name
