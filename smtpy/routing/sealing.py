"""DKIM and ARC for what leaves: signed and sealed as the domain of the alias, when no other edit is to come any more.

Each key in use signs (RFC 8463 section 3: who does not know Ed25519 takes RSA). The ARC set tells the mailbox what was
found when the message came here, which forwarding takes from it: SPF above all. It covers our own signatures too. Where
nobody was asked who the message comes from there is nothing to tell, and no set.

What says it is from the very domain that would sign, and could not show it, is sealed only: our signature is the one
thing that would make it true, for whoever gets hold of a copy.
"""

from collections.abc import Iterator

from smtpy.routing.arrival import Answers, Arrival, Terms
from smtpy.routing.edits import AddField, Edit, edited_fields, field_of
from smtpy.signing import arc, dkim
from smtpy.signing.arc import Validated
from smtpy.signing.body import BodyDigest
from smtpy.signing.header import Header
from smtpy.signing.key import Signer
from smtpy.signing.making import Unsignable, covered

DKIM_FIELD = "DKIM-Signature"
UNOPENED = "cannot be opened"
SEALER = "rsa-sha256"  # the one algorithm that every verifier of ARC knows (RFC 8617 has no other)


def sealed(arrival: Arrival, edits: list[Edit], domain: str, answers: Answers, terms: Terms) -> tuple[list[Edit], str]:
    """All edits, signatures and seal included; and what was signed, for the journal."""
    keys = answers.signing_keys.get(domain)
    if not keys:
        return edits, f"no, {domain} has no key in use" if keys == () else f"no, the keys of {domain} are not known now"
    signers = terms.keyring.signers(keys)
    if arrival.body is None or not signers:
        return edits, f"no, the keys of {domain} {UNOPENED}"
    header = Header(edited_fields(arrival.message.fields, edits))
    poses = arrival.standing is not None and arrival.standing.poses_as(domain)
    try:
        with terms.watch("sign"):
            added = [] if poses else [*_signatures(header, arrival, arrival.body, signers)]
            seal = _seal(header.topped(map(field_of, reversed(added))), arrival, signers)
    except Unsignable as unsignable:
        return edits, f"no, {unsignable}"
    told = [f"{each.selector}._domainkey.{each.domain} ({each.algorithm})" for each in signers]
    if poses:
        told = [f"no, a signature of {domain} would vouch for its author"]
    return [*edits, *added, *seal], ", ".join([*told, "ARC" if seal else "no ARC"])


def _signatures(header: Header, arrival: Arrival, body: BodyDigest, signers: tuple[Signer, ...]) -> Iterator[AddField]:
    covers = covered(header)
    for signer in signers:
        yield AddField(DKIM_FIELD, dkim.signature(covers, body, signer, arrival.now))


def _seal(header: Header, arrival: Arrival, signers: tuple[Signer, ...]) -> list[AddField]:
    signer = next((each for each in signers if each.algorithm == SEALER), None)
    if signer is None or arrival.standing is None or arrival.body is None:
        return []
    validated = Validated(arrival.standing.chain, arrival.standing.sets)
    found = arc.seal(header, arrival.body, validated, signer, arrival.standing.results, arrival.now)
    return [AddField(name, value) for name, value in found]
