"""Writing Authentication-Results (RFC 8601): our verdicts, as those behind us read them.

    mx.our.example;
        spf=pass smtp.mailfrom=sender.example;
        dkim=pass header.d=sender.example header.s=s1 header.a=rsa-sha256;
        dmarc=pass header.from=sender.example policy.dmarc=reject;
        arc=none

Of what strangers chose (names, reasons) only what is a token goes in as it is, other ASCII as a quoted string, the rest
not at all. `read` and `forged` are in `statements`.
"""

import re
from collections.abc import Iterator, Mapping

from smtpy.authn.statements import FIELD, Read, Statement, forged, read
from smtpy.authn.verdicts import Authentication

__all__ = ["FIELD", "Read", "Statement", "forged", "payload", "read", "written"]

LINE = 78  # characters, RFC 5322 section 2.1.1
MAX_SIGNATURES = 10  # told of one message
MAX_REASON = 160  # characters
MAX_VALUE = 253

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+\Z")
_PRINTABLE = re.compile(r"[\x20-\x7e]+\Z")
_PLAIN = str.maketrans('"\\', "'/")  # in reasons: not every reader undoes quoted pairs
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


def written(authserv_id: str, found: Authentication) -> str:
    """The value of the field, folded with LF and a tab. `authserv_id` is ours."""
    return f"{_value(authserv_id)};\n\t{payload(found)}"


def payload(found: Authentication) -> str:
    """The same without the id: what ARC-Authentication-Results holds behind its own (RFC 8617 section 4.1.1)."""
    return ";\n\t".join(_folded(each) for each in _statements(found))


def _statements(found: Authentication) -> Iterator[list[str]]:
    """Each statement in the parts it may be folded between."""
    spf, dmarc = found.spf, found.dmarc
    yield _statement("spf", spf.result, spf.why, {f"smtp.{spf.identity}": spf.domain})
    for each in found.dkim[:MAX_SIGNATURES]:
        names = {"header.d": each.domain, "header.s": each.selector, "header.a": each.algorithm}
        yield _statement("dkim", each.result, each.why, names)
    if not found.dkim:
        yield ["dkim=none"]
    names = {"header.from": dmarc.domain, "policy.dmarc": dmarc.policy}
    yield _statement("dmarc", dmarc.result, dmarc.why, names)
    yield _statement("arc", found.arc.result, found.arc.why, {})


def _statement(method: str, result: str, why: str, properties: Mapping[str, str]) -> list[str]:
    parts = [f"{method}={result}"]
    if why:
        parts.append(f"reason={_quoted(_UNPRINTABLE.sub('?', why.translate(_PLAIN))[:MAX_REASON])}")
    values = {name: _value(text) for name, text in properties.items()}
    return [*parts, *(f"{name}={text}" for name, text in values.items() if text)]


def _value(text: str) -> str:
    """A value as RFC 8601 lets one be written; "" for one that cannot be."""
    if _TOKEN.match(text):
        return text[:MAX_VALUE]
    return _quoted(text) if _PRINTABLE.match(text) and len(text) <= MAX_VALUE else ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _folded(parts: list[str]) -> str:
    """Parts in lines, broken between parts only."""
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) > LINE - 8:  # the tab counts as eight
            lines.append(part)
        else:
            lines[-1] += f" {part}"
    return "\n\t".join(lines)
