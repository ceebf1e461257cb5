"""An e-mail address: parsed once at the rim, compared by `key` ever after (RFC 5321 section 4.1.2, RFC 6531).

The local part is held unquoted, the domain as lower-case A-labels (UTS 46), so that "a"@x.example and a@X.EXAMPLE are
one address. Refuses what SMTP refuses: over-long parts, control characters, empty labels, unbalanced quotes.
Takes `bytes` or `str`; bytes must be UTF-8. Does not care whether the address exists.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna

MAX_LOCAL = 64  # octets, RFC 5321 section 4.5.3.1.1
ANY_LENGTH = 4096  # octets: for local parts which others made longer, and which Postfix has let in
MAX_DOMAIN = 253  # octets; 255 less the length octets, RFC 1035 section 2.3.4
MAX_ADDRESS = 254  # octets; a path is 256 with its angle brackets, RFC 5321 section 4.5.3.1.3

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*\Z")
_QUOTED = re.compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"\Z')
_LDH = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|ipv6:[0-9a-f:.]+)\]\Z")
_ROUTE = re.compile(r"\A@[^:]*:")
# Of a local part as Postfix reads one: a quoted string, a quoted pair, or a blank between them.
_LOOSE = re.compile(r'"((?:[^"\\]|\\.)*)"|\\(.)|[ \t]+', re.S)
_CONTROLS = ("Cc", "Cs")  # control characters; lone surrogates, which stand for bytes that are not UTF-8


class BadAddress(ValueError):
    """The text is not an address; the message says which rule it breaks and is safe to show."""


@dataclass(frozen=True, slots=True)
class Address:
    """`local` unquoted, in the letter case it came in; `domain` lower-case A-labels or an address literal."""

    local: str
    domain: str

    @property
    def key(self) -> str:
        """What the directory compares: casefolded local part in NFC, "@", domain."""
        return f"{fold(self.local)}@{self.domain}"

    @property
    def ascii(self) -> bool:
        """Whether it can travel without SMTPUTF8 (RFC 6531)."""
        return self.local.isascii()

    def __str__(self) -> str:
        return f"{quote(self.local)}@{self.domain}"


def fold(local: str) -> str:
    """A local part as the directory stores it: NFC, case folded."""
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())


def quote(local: str) -> str:
    """A local part in its external form: as a dot-string where it can be one, else quoted."""
    if _DOT_STRING.match(local):
        return local
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse(text: str | bytes, *, max_local: int = MAX_LOCAL) -> Address:
    """Read one address without angle brackets. Raises BadAddress.

    `max_local` (octets) is loosened for other people's reverse-paths: real senders break the limit of 64.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            raise BadAddress("address is neither ASCII nor UTF-8") from None
    local, at, domain = text.rpartition("@")
    if not at:
        raise BadAddress("address has no @")
    return _address(_unquote(local), domain, max_local)


def parse_path(text: str, *, max_local: int = MAX_LOCAL) -> Address:
    """Read the address of a path that Postfix has taken, as Postfix did. Raises BadAddress.

    It takes more than parse(): dots, quotes, backslashes and blanks wherever they stand. Who reads less than Postfix
    takes one of our addresses for a stranger's.
    """
    try:
        return parse(text, max_local=max_local)
    except BadAddress:
        local, at, domain = text.rpartition("@")
        if not at:
            raise
        return _address(_LOOSE.sub(_plain, local), re.sub(r"[ \t]", "", domain), max_local)


def _plain(found: re.Match[str]) -> str:
    """What a piece of _LOOSE stands for."""
    return re.sub(r"\\(.)", r"\1", found[1] or "", flags=re.S) + (found[2] or "")


def strip_path(text: str) -> str:
    """What Postfix keeps of a path: neither angle brackets nor blanks round them, nor the source route, which is to be
    ignored (RFC 5321 appendix C)."""
    return _ROUTE.sub("", text.strip(" \t<>"))


def parse_bare(text: str, *, max_local: int = MAX_LOCAL) -> Address:
    """Read an address whose local part is not quoted whatever stands in it: Postfix's internal form. Raises BadAddress.

    It is what the attributes of policy delegation hold, where "a b"@x.example is said `a b@x.example`.
    """
    local, at, domain = text.rpartition("@")
    if not at:
        raise BadAddress("address has no @")
    return _address(local, domain, max_local)


def _address(local: str, domain: str, max_local: int) -> Address:
    if not local.isprintable() and any(unicodedata.category(character) in _CONTROLS for character in local):
        raise BadAddress("local part contains a control character")
    if len(local.encode()) > max_local:
        raise BadAddress(f"local part is longer than {max_local} octets")
    address = Address(local, parse_domain(domain))
    if len(str(address).encode()) > MAX_ADDRESS + max_local - MAX_LOCAL:
        raise BadAddress(f"address is longer than {MAX_ADDRESS} octets")
    return address


def _unquote(local: str) -> str:
    if _DOT_STRING.match(local):
        return local
    if quoted := _QUOTED.match(local):
        return re.sub(r"\\(.)", r"\1", quoted[1])
    raise BadAddress("before the @ is a blank, a dot or another character where it may be only within quotes")


def is_within(domain: str, parent: str) -> bool:
    """Whether a domain is that one or below it; both in lower-case A-labels. Nothing is within ""."""
    return bool(parent) and (domain == parent or domain.endswith(f".{parent}"))


@lru_cache(maxsize=4096)
def parse_domain(text: str) -> str:
    """A domain as lower-case A-labels, or an address literal in lower case. Raises BadAddress."""
    domain = text.lower()
    if domain.isascii():
        if _LITERAL.match(domain):
            return domain
    else:
        try:
            domain = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise BadAddress("domain is not a valid internationalised name") from None
    if len(domain) > MAX_DOMAIN:
        raise BadAddress(f"domain is longer than {MAX_DOMAIN} octets")
    if not _LDH.match(domain):
        raise BadAddress("domain is not a valid host name")
    return domain
