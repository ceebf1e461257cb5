"""How a message stands with the domain it says it comes from: what a plan needs to know of its authentication.

The first pass finds it out, from the client, its name and DNS. The second pass cannot: its client is our own Postfix.
It reads what the first pass left: our Authentication-Results field, and a signed note in SMTPy-Split.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from smtpy.authn.results import written
from smtpy.authn.statements import read
from smtpy.authn.verdicts import Authentication
from smtpy.directory.entries import OnDmarc
from smtpy.directory.resolve import Forward
from smtpy.mail.message import Message
from smtpy.mail.trace import Trace
from smtpy.signing.result import Result

RESULTS_FIELD = "Authentication-Results"
ENFORCED = ("quarantine", "reject")  # policies under which a mailbox does not take what fails


@dataclass(frozen=True, slots=True)
class Standing:
    """`results` is the value of our Authentication-Results field, `chain` what the `sets` of ARC on it are worth.

    `policy` is what the domain of the author (`author`, "" if there is none to ask) wants done with mail that fails,
    `aligned`: it has signed this message, or there is a signature which nobody could check just now. `vouched`: a
    sealer whom we trust says that it had passed when it came there.
    """

    results: str
    chain: Result
    sets: int
    dmarc: Result
    policy: str
    author: str
    aligned: bool
    vouched: bool
    words: Mapping[str, str] = field(default_factory=dict)  # a word for each method; not in the second pass

    def asked(self, forward: Forward) -> OnDmarc:
        """What the owner of an alias wants done with this message."""
        if self.dmarc is not Result.FAIL or self.vouched:
            return OnDmarc.DELIVER
        return {"reject": forward.on_reject, "quarantine": forward.on_quarantine}.get(self.policy, OnDmarc.DELIVER)

    def fails_onward(self, domain: str) -> bool:
        """Whether DMARC fails where this is forwarded to, by an alias of that domain: SPF will be ours to pass then,
        so that only the author's own signature speaks for the author."""
        judged = self.dmarc in (Result.PASS, Result.FAIL)
        return judged and self.policy in ENFORCED and not self.aligned and self.author != domain

    @property
    def note(self) -> str:
        """For the second pass; see `read_note`."""
        flags = ("a" if self.aligned else "") + ("v" if self.vouched else "")
        return f"{self.chain},{self.sets},{self.dmarc},{self.policy},{self.author},{flags}"


def standing_of(found: Authentication, hostname: str, trusted_sealers: frozenset[str]) -> Standing:
    """What authentication amounts to."""
    arc, dmarc = found.arc, found.dmarc
    trusted = arc.result is Result.PASS and arc.sealers[-1] in trusted_sealers
    return Standing(
        results=written(hostname, found),
        chain=arc.result,
        sets=arc.sets,
        dmarc=dmarc.result,
        policy=dmarc.policy,
        author=dmarc.domain,
        aligned=dmarc.aligned_dkim or any(each.result is Result.TEMPERROR for each in found.dkim),
        vouched=trusted and _says_pass(arc.results[-1]),
        words=found.summary(),
    )


def _says_pass(results: str) -> bool:
    """Whether ARC-Authentication-Results say that DMARC passed."""
    said = read(results.encode())
    return said is not None and any(each.method == "dmarc" and each.result == "pass" for each in said.statements)


def read_note(first: Trace, message: Message) -> Standing | None:
    """The standing as the first pass noted it; None: it was not asked for."""
    results = next(message.values(RESULTS_FIELD), None)
    if not first.note or results is None:
        return None
    chain, sets, dmarc, policy, author, flags = first.note.split(",")
    return Standing(
        *(results.decode().strip(), Result(chain), int(sets), Result(dmarc), policy, author),
        *("a" in flags, "v" in flags),
    )
