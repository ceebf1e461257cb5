"""Addresses: what they are read as, what is refused and by which rule, and that writing undoes reading."""

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpy.mail.address import (
    MAX_ADDRESS,
    Address,
    BadAddress,
    fold,
    parse,
    parse_bare,
    parse_domain,
    parse_path,
    quote,
    strip_path,
)

LABEL = "a" * 63
LONG_DOMAIN = f"{LABEL}.{LABEL}.{'a' * 61}.example"  # 197 octets
# text: (local, domain)
GOOD = {
    "a@x.example": ("a", "x.example"),
    "Sales@X.Example": ("Sales", "x.example"),
    "a.b.c@x.example": ("a.b.c", "x.example"),
    "a+b=c/d!e#f$g%h&i'j*k?l^m_n`o{p|q}r~s-t@x.example": ("a+b=c/d!e#f$g%h&i'j*k?l^m_n`o{p|q}r~s-t", "x.example"),
    '"a"@x.example': ("a", "x.example"),
    '"a.b"@x.example': ("a.b", "x.example"),
    '"a b"@x.example': ("a b", "x.example"),
    '"a@b"@x.example': ("a@b", "x.example"),
    '"a,b"@x.example': ("a,b", "x.example"),
    '"a..b"@x.example': ("a..b", "x.example"),
    '""@x.example': ("", "x.example"),
    r'"quote\"d back\\slash"@x.example': (r'quote"d back\slash', "x.example"),
    r'"\a\ \@"@x.example': ("a @", "x.example"),
    "dest.example!user@x.example": ("dest.example!user", "x.example"),
    "a%b@x.example": ("a%b", "x.example"),
    # RFC 6531 and IDNA
    "jörg@x.example": ("jörg", "x.example"),
    '"jörg b"@x.example': ("jörg b", "x.example"),
    "用户@例え.example": ("用户", "xn--r8jz45g.example"),
    "a@bücher.example": ("a", "xn--bcher-kva.example"),
    "a@BÜCHER.Example": ("a", "xn--bcher-kva.example"),
    "a@bu\u0308cher.example": ("a", "xn--bcher-kva.example"),
    "a@XN--Bcher-KVA.example": ("a", "xn--bcher-kva.example"),
    "a@faß.example": ("a", "xn--fa-hia.example"),
    "a@x。example": ("a", "x.example"),
    # Domains
    "a@localhost": ("a", "localhost"),
    "a@_spf.x.example": ("a", "_spf.x.example"),
    "a@1.example": ("a", "1.example"),
    "a@[192.0.2.1]": ("a", "[192.0.2.1]"),
    "a@[IPv6:2001:DB8::1]": ("a", "[ipv6:2001:db8::1]"),
    # Sizes, in octets
    f"{'a' * 64}@x.example": ("a" * 64, "x.example"),
    f"{'ö' * 32}@x.example": ("ö" * 32, "x.example"),
    f"a@{LABEL}.example": ("a", f"{LABEL}.example"),
    f"{'a' * (MAX_ADDRESS - 1 - len(LONG_DOMAIN))}@{LONG_DOMAIN}": ("a" * 56, LONG_DOMAIN),
}
NO_FORM = "only within quotes"
NO_HOST = "not a valid host name"
# text: what the refusal says
BAD = {
    "": "no @",
    "a": "no @",
    "@x.example": NO_FORM,
    ".a@x.example": NO_FORM,
    "a.@x.example": NO_FORM,
    "a..b@x.example": NO_FORM,
    "a b@x.example": NO_FORM,
    "a,b@x.example": NO_FORM,
    "a@b@x.example": NO_FORM,
    "<a@x.example": NO_FORM,
    "a@x.example>": NO_HOST,
    "@y.example:a@x.example": NO_FORM,
    '"a@x.example': NO_FORM,
    'a"@x.example': NO_FORM,
    '"a"b"@x.example': NO_FORM,
    '"a\\"@x.example': NO_FORM,
    '"a"."b"@x.example': NO_FORM,
    "a\\b@x.example": NO_FORM,
    "a\n@x.example": NO_FORM,
    "a@x.example\n": NO_HOST,
    '"a\0b"@x.example': NO_FORM,
    '"a\nb"@x.example': NO_FORM,
    "a\x7f@x.example": NO_FORM,
    "a\x85b@x.example": "control character",
    "a\udcffb@x.example": "control character",
    "a@": NO_HOST,
    "a@.": NO_HOST,
    "a@.example": NO_HOST,
    "a@x.example.": NO_HOST,
    "a@x..example": NO_HOST,
    "a@-x.example": NO_HOST,
    "a@x-.example": NO_HOST,
    "a@x y.example": NO_HOST,
    "a@x_.example": NO_HOST,
    "a@x\0.example": NO_HOST,
    "a@[192.0.2]": NO_HOST,
    "a@[192.0.2.1": NO_HOST,
    "a@[x.example]": NO_HOST,
    "a@\udcff.example": "internationalised",
    "a@ü\0.example": "internationalised",
    "a@\u202eü.example": "internationalised",
    "a@ü..example": "internationalised",
    f"{'a' * 65}@x.example": "local part is longer than 64 octets",
    f"{'ö' * 33}@x.example": "local part is longer than 64 octets",
    f"a@{'a' * 64}.example": NO_HOST,
    f"a@{'ü' * 64}.example": "internationalised",
    f"a@{'a.' * 124}example": "domain is longer than 253 octets",
    f"{'a' * 57}@{LONG_DOMAIN}": "address is longer than 254 octets",
    # quoting counts
    f'"{" " * 55}"@{LONG_DOMAIN}': "address is longer than 254 octets",
}


@pytest.mark.parametrize(("text", "parts"), GOOD.items(), ids=[text[:40] for text in GOOD])
def test_reads(text, parts):
    assert parse(text) == parse(text.encode()) == Address(*parts)


@pytest.mark.parametrize(("text", "rule"), BAD.items(), ids=[ascii(text)[:40] for text in BAD])
def test_refuses_and_names_the_rule(text, rule):
    with pytest.raises(BadAddress, match=rule):
        parse(text)


@pytest.mark.parametrize("octets", [b"\xff@x.example", b"a@\xc3.example", "jörg@x.example".encode("latin-1")])
def test_bytes_must_be_utf8(octets):
    with pytest.raises(BadAddress, match="neither ASCII nor UTF-8"):
        parse(octets)


SAME = (
    ("a@x.example", '"a"@X.EXAMPLE'),
    ("Sales@x.example", "sALES@x.example"),
    ("JÖRG@x.example", "jo\u0308rg@x.example"),
    ("ΣΊΣΥΦΟΣ@x.example", "σίσυφος@x.example"),
    ("a@bücher.example", "A@xn--bcher-kva.example"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_address_have_one_key(one, other):
    assert parse(one).key == parse(other).key


OTHERS = (("a@x.example", "a@xx.example"), ("a.b@x.example", "ab@x.example"), ("jorg@x.example", "jörg@x.example"))


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_addresses_have_other_keys(one, other):
    assert parse(one).key != parse(other).key


def test_only_a_reverse_path_may_be_longer():
    text = f"{'a' * 300}@x.example"
    assert parse(text, max_local=300).local == "a" * 300
    with pytest.raises(BadAddress):
        parse(text, max_local=299)


def test_only_the_local_part_needs_smtputf8():
    assert parse("a@bücher.example").ascii
    assert not parse("jörg@x.example").ascii


BARE = {
    "a@x.example": "a@x.example",
    "a b@X.example": '"a b"@x.example',
    "a@b@x.example": '"a@b"@x.example',
    'a"b\\c@x.example': r'"a\"b\\c"@x.example',
    '"a"@x.example': r'"\"a\""@x.example',  # the quotes belong to the name here
    "a..b@x.example": '"a..b"@x.example',
    "@x.example": '""@x.example',
}


@pytest.mark.parametrize(("text", "external"), BARE.items())
def test_reads_the_internal_form_of_postfix(text, external):
    assert str(parse_bare(text)) == external
    assert parse(external) == parse_bare(text)


BAD_BARE = {
    "a": "no @",
    "a\0b@x.example": "control character",
    "a\nb@x.example": "control character",
    "a\udcff@x.example": "control character",
    f"{'a' * 65}@x.example": "longer than 64",
    "a@x..example": NO_HOST,
}


@pytest.mark.parametrize(("text", "rule"), BAD_BARE.items(), ids=[ascii(text)[:40] for text in BAD_BARE])
def test_refuses_in_the_internal_form_too(text, rule):
    with pytest.raises(BadAddress, match=rule):
        parse_bare(text)


# What smtpd of Postfix 3.7.11 takes in RCPT TO beyond RFC 5321, and the address it takes it for.
PATHS = {
    "<sales@x.example>": "sales@x.example",
    "< sales@x.example >": "sales@x.example",
    "<<sales@x.example>>": "sales@x.example",
    "<sales@x.example>>": "sales@x.example",
    "<@relay.example:sales@x.example>": "sales@x.example",
    "<@relay.example,@other.example:sales@x.example>": "sales@x.example",
    "<sales @ x . example>": "sales@x.example",
    r"<sa\les@x.example>": "sales@x.example",
    r"<sa\ les@x.example>": '"sa les"@x.example',
    "<a..b@x.example>": '"a..b"@x.example',
    "<.a.@x.example>": '".a."@x.example',
    '<a."b c".d@x.example>': '"a.b c.d"@x.example',
    r'<"a\"b"@x.example>': r'"a\"b"@x.example',
    '<"<a>:b"@x.example>': '"<a>:b"@x.example',
    "<postmaster>": None,
    "<>": None,
}


@pytest.mark.parametrize(("path", "external"), PATHS.items())
def test_reads_a_path_as_postfix_does(path, external):
    if external is None:
        with pytest.raises(BadAddress, match="no @"):
            parse_path(strip_path(path))
    else:
        assert str(parse_path(strip_path(path))) == external


def test_a_path_without_its_brackets_may_be_empty():
    assert strip_path("<>") == ""
    assert strip_path("<postmaster>") == "postmaster"


@given(st.text(max_size=80) | st.from_regex(r'[" \\\\a.@:<>]{1,20}@[a-z. ]{1,9}', fullmatch=True))
def test_a_path_is_read_as_strictly_where_it_can_be(text):
    with contextlib.suppress(BadAddress):
        assert parse_path(text) == parse(text)
    with contextlib.suppress(BadAddress):
        parse_path(strip_path(text))


@given(st.text(max_size=60), st.from_regex(r"[a-z0-9ü]{1,9}(-[a-z0-9]{1,9})?\.example", fullmatch=True))
@example("a b", "x.example")
@example("\\", "x.example")
@example("\u0378", "x.example")  # not assigned
def test_writing_undoes_reading(local, domain):
    with contextlib.suppress(BadAddress):
        address = parse_bare(f"{local}@{domain}")
        assert address.local == local
        assert parse(str(address)) == address
        assert parse(str(address).encode()) == address
        assert parse(address.key if quote(address.local) == address.local else str(address)).key == address.key


@given(st.text(max_size=80) | st.from_regex(r'("[^"]{0,9}"|[a-z.]{1,9})@[a-zA-Z.\-\[\]:0-9ü]{1,20}', fullmatch=True))
def test_what_is_read_is_written_back_and_read_again(text):
    with contextlib.suppress(BadAddress):
        assert parse(str(parse(text))) == parse(text)


@given(st.binary(max_size=80))
def test_no_octets_fail_in_another_way(octets):
    with contextlib.suppress(BadAddress):
        parse(octets)


@given(st.text(max_size=40))
def test_a_folded_name_is_folded(local):
    assert fold(fold(local)) == fold(local)


HUGE = {
    "local": "a" * 100_000 + "@x.example",
    "local, quoted": '"' + "\\a" * 50_000 + '"@x.example',
    "local, not ASCII": "\u0301" * 50_000 + "@x.example",
    "dots": "a." * 50_000 + "@x.example",
    "domain": "a@" + "a" * 100_000,
    "labels": "a@" + "a." * 50_000 + "a",
    "hyphens": "a@a" + "-" * 100_000,
    "domain, not ASCII": "a@" + "ü" * 50_000 + ".example",
    "labels, not ASCII": "a@" + "ü." * 33_000 + "a",
    "joiners": "a@" + "क्\u200d" * 10_000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=list(HUGE))
def test_a_huge_text_is_refused_soon(text):
    started = time.process_time()
    with pytest.raises(BadAddress):
        parse(text)
    assert time.process_time() - started < 0.5  # what grows with the square takes seconds


def test_domains_are_read_alike_alone():
    assert parse_domain("Bücher.Example") == "xn--bcher-kva.example"
    with pytest.raises(BadAddress):
        parse_domain("")
