"""Return addresses: vectors of our own, the corpus of PostSRSd's behaviour, and what a forger would try."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.srs import BadReturnAddress, Srs, is_return_address, stored, token_of
from tests.corpora import corpus

DAY = 1577836860 // 86400
SRS = Srs((b"tops3cr3t",), hash_length=4)
LONG = Srs((b"new secret", b"old secret"), hash_length=8)


def test_forward_is_what_postsrsd_writes():
    assert SRS.forward("test", "otherdomain.com", DAY) == "SRS0=vmyz=2W=otherdomain.com=test"


def test_a_return_address_of_another_forwarder_becomes_srs1_and_leads_back_to_it():
    local = SRS.forward("SRS0=rLJV=2W=OtherDomain.COM=Test.User", "hop1.example", DAY)
    assert local == "SRS1=elKr=hop1.example==rLJV=2W=OtherDomain.COM=Test.User"
    assert SRS.reverse(local, DAY) == "SRS0=rLJV=2W=OtherDomain.COM=Test.User@hop1.example"


def test_corpus_forward_and_reverse():
    vectors = json.loads((corpus("srs") / "srs-vectors.json").read_text())
    assert len(vectors) > 300
    for vector in vectors:
        secrets = [vector["secret"], *vector.get("old_secrets", [])]
        srs = Srs(tuple(s.encode() for s in secrets), vector["hash_length"])
        local, _, domain = vector["in"].rpartition("@")
        day = vector["time"] // 86400
        if vector["op"] == "forward":
            assert f"{srs.forward(local, domain, day)}@{vector['local_domain']}" == vector["out"]
        elif vector["out"] is None:
            with pytest.raises(BadReturnAddress):
                srs.reverse(local, day)
        else:
            assert srs.reverse(local, day) == vector["out"]


@pytest.mark.parametrize(
    ("age", "opens"), [(0, True), (21, True), (22, False), (-1, False), (1024, True), (500, False)]
)
def test_a_return_address_lives_for_21_days_and_none_comes_from_the_future(age, opens):
    local = LONG.forward("bob", "sender.example", DAY)
    if opens:
        assert LONG.reverse(local, DAY + age) == "bob@sender.example"
    else:
        with pytest.raises(BadReturnAddress, match="too old"):
            LONG.reverse(local, DAY + age)


@pytest.mark.parametrize("length", range(8))
def test_a_short_hash_is_refused_even_when_it_is_right(length):
    local = LONG.forward("victim", "bank.example", DAY)
    digest = local.split("=")[1]
    with pytest.raises(BadReturnAddress):
        LONG.reverse(local.replace(digest, digest[:length], 1), DAY)


def test_old_secrets_open_what_they_signed_and_the_newest_signs():
    old = Srs((b"old secret",)).forward("bob", "sender.example", DAY)
    new = LONG.forward("bob", "sender.example", DAY)
    assert LONG.reverse(old, DAY) == LONG.reverse(new, DAY) == "bob@sender.example"
    with pytest.raises(BadReturnAddress, match="wrong hash"):
        Srs((b"new secret",)).reverse(old, DAY)


@given(
    st.text(min_size=1).filter(lambda s: not is_return_address(s)),
    st.from_regex(r"[a-z]{1,9}\.example", fullmatch=True),
)
def test_reverse_undoes_forward_for_any_sender(user, host):
    local = LONG.forward(user, host, DAY)
    assert LONG.reverse(local, DAY) == f"{user}@{host}"
    assert LONG.reverse(local.upper() if local.isascii() else local, DAY).lower() == f"{user}@{host}".lower()


@given(st.text())
def test_no_text_makes_reverse_fail_in_another_way(text):
    for prefix in ("SRS0=", "SRS1=", "srs0+", ""):
        with pytest.raises(BadReturnAddress):
            LONG.reverse(prefix + text, DAY)


def test_stored_return_addresses_are_the_same_each_time_and_differ_by_sender_and_secret():
    local, token = stored(b"k" * 32, "bob@sender.example")
    assert stored(b"k" * 32, "bob@sender.example") == (local, token)
    assert stored(b"k" * 32, "eve@sender.example")[1] != token
    assert stored(b"j" * 32, "bob@sender.example")[1] != token
    assert token_of(local) == token_of(local.lower()) == token_of(local.upper()) == token
    assert token_of("SRST=short") is None
    assert token_of("bob") is None
