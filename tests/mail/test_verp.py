"""One sender under reverse-paths that change is one; different people stay different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.mail.verp import folded

ONE_SENDER = {
    "list-return-*@lists.example": [
        "list-return-1234-user=inbox.example@lists.example",
        "list-return-98-user=inbox.example@lists.example",
    ],
    "bounces+*@em.shop.example": [
        "bounces+3817231-8f2c-user=inbox.example@em.shop.example",
        "bounces+3817231-1b9d-user=inbox.example@em.shop.example",
    ],
    "*@mail.shop.example": [
        "0100018c1b2a3d4e-1a2b3c4d-1111-4222-8333-444455556666-000000@mail.shop.example",
        "010001990000ffff-99999999-aaaa-4bbb-8ccc-ddddeeee0000-000000@mail.shop.example",
    ],
    "bounce-*_HTML-*@bounce.news.example": [
        "bounce-1234_HTML-5678-90123-7-456@bounce.news.example",
        "bounce-1235_HTML-5678-90124-7-457@bounce.news.example",
    ],
    "news-*@shop.example": ["news-20261127@shop.example", "news-20261128@shop.example"],
    "msprvs1=*=bounces-*@mail.example": [
        "msprvs1=18123aBcDeFg=bounces-241341-7@mail.example",
        "msprvs1=18124xYzAbCd=bounces-241341-8@mail.example",
    ],
    "anna@home.example": [
        "anna@home.example",
        "SRS0=HHH4=TT=home.example=anna@forwarder.example",
        "srs0+abcd=Q7=home.example=anna@forwarder.example",
        "SRS1=abcd=forwarder.example==HHH4=TT=home.example=anna@second.example",
        "prvs=2751ab47cd=anna@home.example",
        "prvs=anna=2751ab47cd@home.example",
        "SRS0=HHH4=TT=home.example=prvs=2751ab47cd=anna@forwarder.example",
    ],
}
PEOPLE = (
    *("4930901820", "anna-85", "anna.1985", "anna+shop", "anna_b", "mary-ann.smith", "x", "a-b-c-d", "no-reply"),
    *("r2d2-c3po", "o'neill", "user=x", "=", "-", "jürgen-äöü", "info-2026", "abcdefgh-ijklmnop"),
)


@pytest.mark.parametrize(("sender", "address"), [(to, each) for to, group in ONE_SENDER.items() for each in group])
def test_what_changes_is_folded(sender: str, address: str) -> None:
    local, _, domain = address.rpartition("@")
    assert "@".join(folded(local, domain)) == sender


@pytest.mark.parametrize("local", PEOPLE)
def test_people_are_told_apart(local: str) -> None:
    assert folded(local, "home.example") == (local, "home.example")


@given(st.text("aB09-+=_.*@ü", max_size=64), st.just("home.example"))
def test_folding_makes_nothing_longer_and_is_done_once(local: str, domain: str) -> None:
    once = folded(local, domain)
    assert len(once[0]) <= len(local)
    assert folded(*once) == once
