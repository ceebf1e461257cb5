"""The Authenticated Received Chain (RFC 8617): read, validated, sealed.

A set is three fields with one i=: ARC-Authentication-Results (what its maker found), ARC-Message-Signature (a signature
of the message as it left there) and ARC-Seal (a signature of all sets up to that one). The chain passes when its sets
are complete, the newest message signature holds and every seal does (section 5.2); older message signatures need not.

`temperror` is kept apart from `fail`. RFC 8617 section 5.2.1 calls every failure permanent, a failed look-up too; for
our own verdict RFC 8601 section 2.7.1 is the better law, and a chain that could not be judged gets no set of ours: a
message that passes unchanged still has a good chain for whoever can ask. So nothing is called good that may be bad.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smtpy.dns import Dns, DnsTrouble
from smtpy.mail.message import Field
from smtpy.signing import canonical
from smtpy.signing.body import BodyDigest, BodySpec
from smtpy.signing.header import Header
from smtpy.signing.key import Signer, find_keys
from smtpy.signing.making import Covered, base64_of, covered, made
from smtpy.signing.result import Result
from smtpy.signing.signature import (
    NO_ANSWER,
    Signature,
    algorithm_of,
    check,
    domain_of,
    fitting,
    number_of,
    octets_of,
    read_signature,
    required,
    selector_of,
)
from smtpy.signing.tags import BadTags, parse_tags
from smtpy.signing.verdict import Refused, Verdict

MAX_SETS = 50  # RFC 8617 section 4.2.1
RESULTS, MESSAGE, SEAL = b"arc-authentication-results", b"arc-message-signature", b"arc-seal"

MARKED_FAILED = Verdict(Result.FAIL, "chain is marked as failed")
TOO_MANY_SETS = Verdict(Result.FAIL, "too many sets")
NO_INSTANCE = Verdict(Result.FAIL, "a field has no valid i=")
TWICE = Verdict(Result.FAIL, "a field stands twice in a set")
INCOMPLETE = Verdict(Result.FAIL, "a set is not complete")
WRONG_STATUS = Verdict(Result.FAIL, "cv= does not follow")
FORBIDDEN_TAG = Verdict(Result.FAIL, "a seal names fields or a body")
SEAL_SIGNED = Verdict(Result.FAIL, "a message signature covers a seal")


@dataclass(frozen=True, slots=True)
class Seal:
    """An ARC-Seal that can be checked; `status` is its cv=."""

    position: int
    domain: str
    selector: str
    algorithm: str
    value: bytes
    status: str


@dataclass(frozen=True, slots=True)
class Set:
    """One instance of the chain. `results` is the position of its ARC-Authentication-Results."""

    results: int
    message: Signature
    seal: Seal


@dataclass(frozen=True, slots=True)
class Chain:
    """The sets of a message, oldest first; none of them when `verdict` says why they are no chain.

    `newest` is the highest i= of any field, `closed` whether that seal says cv=fail.
    """

    sets: tuple[Set, ...] = ()
    verdict: Verdict | None = None
    newest: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Validated:
    """NONE, PASS, FAIL or TEMPERROR. `sealers` are the d= of the seals and `results` the texts of the
    ARC-Authentication-Results behind i=, both oldest first, and there on a pass only: nobody else's can be believed.
    `covers_from`: the newest message signature covers From, without which a pass says nothing about the author (RFC
    6376 section 5.4 asks for it; the ValiMail suite does not).
    """

    result: Result
    sets: int
    why: str = ""
    sealers: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    covers_from: bool = False


def chain(header: Header) -> Chain:
    """The chain in a header, parsed once."""
    fields = {name: header.positions(name) for name in (RESULTS, MESSAGE, SEAL)}
    if not any(fields.values()):
        return Chain()
    if any(len(positions) > MAX_SETS for positions in fields.values()):
        return Chain(verdict=TOO_MANY_SETS, newest=MAX_SETS)
    tags = {position: _tags(header, name, position) for name, where in fields.items() for position in where}
    newest = max(_instance(each) for each in tags.values())
    closed = any(_instance(tags[p]) == newest and tags[p].get("cv") == "fail" for p in fields[SEAL])
    try:
        return Chain(tuple(_sets(fields, tags)), None, newest, closed)
    except Refused as refusal:
        return Chain((), Verdict(Result.FAIL, refusal.verdict.why), newest, closed)


def specs(found: Chain) -> frozenset[BodySpec]:
    """What the newest message signature needs to know of the body."""
    return frozenset({found.sets[-1].message.spec}) if found.sets else frozenset()


def validate(
    header: Header, found: Chain, digests: Mapping[BodySpec, BodyDigest], dns: Dns, now: datetime
) -> Validated:
    """The state of the chain (RFC 8617 section 5.2). `header` is the one it was read from."""
    if not found.sets and found.verdict is None:
        return Validated(Result.NONE, 0)
    try:
        _check_structure(found)
        check(header, found.sets[-1].message, digests, dns, now)
        _check_seals(header, found, dns)
    except Refused as refusal:
        return Validated(Result.FAIL, found.newest, refusal.verdict.why)
    except DnsTrouble:
        return Validated(NO_ANSWER.result, found.newest, NO_ANSWER.why)
    sealers = tuple(each.seal.domain for each in found.sets)
    results = tuple(_payload(header.fields[each.results].value) for each in found.sets)
    return Validated(Result.PASS, found.newest, "", sealers, results, b"from" in found.sets[-1].message.names)


def seal(
    header: Header, digest: BodyDigest, validated: Validated, signer: Signer, results: str, now: datetime
) -> tuple[tuple[str, str], ...]:
    """The fields (name, value) of a new set, in the order to be put on top: the seal ends topmost.

    `header` is that of the message as it leaves but for this set, `digest` that of `body.OURS`, `results` the value of
    our Authentication-Results, authserv-id first. A chain that failed is sealed as failed, once, alone (RFC 8617
    section 5.1.2). Nothing is returned when no set may follow: the chain is marked as failed already, is full, or could
    not be judged. Raises Unsignable.
    """
    found = chain(header)
    instance = found.newest + 1
    if found.closed or instance > MAX_SETS or validated.result == Result.TEMPERROR:
        return ()
    status = "none" if found == Chain() else "pass"
    if status == "pass" and (validated.result, validated.sets) != (Result.PASS, len(found.sets)):
        status, found = "fail", Chain()
    covers = covered(header, (b"dkim-signature",))
    ours = (
        ("ARC-Authentication-Results", f"i={instance}; {results}"),
        ("ARC-Message-Signature", message_signature(covers, digest, signer, instance, now)),
    )
    sealed = b"".join([*_sealed(header, found), *(_relaxed(name, value) for name, value in ours)])
    # The tags in the order of the alphabet, which gives the ValiMail suite's signatures to the octet.
    tags = {"a": signer.algorithm, "b": "", "cv": status, "d": signer.domain, "i": str(instance), "s": signer.selector}
    tags["t"] = str(int(now.timestamp()))
    return (*ours, ("ARC-Seal", made("ARC-Seal", tags, sealed, signer)))


def message_signature(covers: Covered, digest: BodyDigest, signer: Signer, instance: int, now: datetime) -> str:
    """The value of an ARC-Message-Signature (RFC 8617 section 4.1.2)."""
    tags = {"a": signer.algorithm, "b": "", "bh": base64_of(digest.digest), "c": "relaxed/relaxed", "d": signer.domain}
    tags |= {"h": covers.names, "i": str(instance), "s": signer.selector, "t": str(int(now.timestamp()))}
    return made("ARC-Message-Signature", tags, covers.text, signer)


def _relaxed(name: str, value: str) -> bytes:
    return canonical.relaxed(Field(name.encode("ascii"), value.encode("utf-8")))


def _tags(header: Header, name: bytes, position: int) -> Mapping[str, str]:
    """The tags of a field; of ARC-Authentication-Results the i= that stands first. None of them when it has no list."""
    value = header.fields[position].value
    try:
        return parse_tags(value.partition(b";")[0] if name == RESULTS else value)
    except BadTags:
        return {}


def _instance(tags: Mapping[str, str]) -> int:
    """i=, 1 to 50; 0 when it is not that."""
    text = tags.get("i", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= MAX_SETS else 0


def _sets(fields: Mapping[bytes, Sequence[int]], tags: Mapping[int, Mapping[str, str]]) -> Iterator[Set]:
    """The sets, oldest first. Raises Refused."""
    placed: dict[bytes, dict[int, int]] = {}
    for name, positions in fields.items():
        placed[name] = {_instance(tags[position]): position for position in positions}
        if 0 in placed[name]:
            raise Refused(NO_INSTANCE)
        if len(placed[name]) < len(positions):
            raise Refused(TWICE)
    count = len(fields[SEAL])
    if any(set(each) != set(range(1, count + 1)) for each in placed.values()):
        raise Refused(INCOMPLETE)
    for instance in range(1, count + 1):
        message, sealed = placed[MESSAGE][instance], placed[SEAL][instance]
        yield Set(placed[RESULTS][instance], _message(message, tags[message]), _seal(sealed, tags[sealed]))


def _message(position: int, tags: Mapping[str, str]) -> Signature:
    """c= may be left out and means relaxed/relaxed then, as the ValiMail suite has it. Raises Refused."""
    found = read_signature(position, tags, "@" + domain_of(tags), "relaxed/relaxed")
    if SEAL in found.names:
        raise Refused(SEAL_SIGNED)
    return found


def _seal(position: int, tags: Mapping[str, str]) -> Seal:
    """Raises Refused."""
    if "h" in tags or "bh" in tags:
        raise Refused(FORBIDDEN_TAG)  # RFC 8617 section 4.1.3
    number_of(tags, "t")
    return Seal(
        position, domain_of(tags), selector_of(tags), algorithm_of(tags), octets_of(tags, "b"), required(tags, "cv")
    )


def _check_structure(found: Chain) -> None:
    if found.closed:
        raise Refused(MARKED_FAILED)
    if found.verdict is not None:
        raise Refused(found.verdict)
    if any(each.seal.status != ("pass" if index else "none") for index, each in enumerate(found.sets)):
        raise Refused(WRONG_STATUS)


def _check_seals(header: Header, found: Chain, dns: Dns) -> None:
    """Each seal signs all sets before it and its own: the digest of those is carried on from one to the next."""
    before = hashlib.sha256()
    for each in found.sets:
        before.update(header.relaxed(each.results) + header.relaxed(each.message.position))
        own = canonical.relaxed(canonical.unsigned(header.fields[each.seal.position]))
        upto = before.copy()
        upto.update(own.removesuffix(canonical.CRLF))
        keys = find_keys(dns, each.seal.selector, each.seal.domain, each.seal.algorithm)
        fitting(keys, each.seal.value, upto.digest())
        before.update(header.relaxed(each.seal.position))


def _sealed(header: Header, found: Chain) -> Iterator[bytes]:
    """The sets of a chain as a seal signs them (RFC 8617 section 5.1.1)."""
    for each in found.sets:
        for position in (each.results, each.message.position, each.seal.position):
            yield header.relaxed(position)


def _payload(value: bytes) -> str:
    """What an ARC-Authentication-Results says behind its i=."""
    return value.partition(b";")[2].decode("utf-8", "replace").strip()
