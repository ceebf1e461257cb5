"""How a message stands with the domain it says it comes from: what a plan needs to know of its authentication.

The first pass finds it out, from the client, its name and DNS. The second pass cannot: its client is our own Postfix.
It reads what the first pass left: our Authentication-Results field, and a signed note in SMTPy-Split.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from smtpy.authn.results import written
from smtpy.authn.statements import read
from smtpy.authn.suffixes import Suffixes
from smtpy.authn.verdicts import Authentication
from smtpy.directory.entries import OnDmarc
from smtpy.directory.resolve import Forward
from smtpy.mail.address import is_within
from smtpy.mail.message import Message
from smtpy.mail.trace import Trace
from smtpy.signing.result import Result

RESULTS_FIELD = "Authentication-Results"
NOTED = 8  # parts of a note
STERNEST_FIRST = (OnDmarc.REFUSE, OnDmarc.HOLD, OnDmarc.TAG, OnDmarc.DELIVER)
ENFORCED = ("quarantine", "reject")  # policies under which a mailbox does not take what fails


@dataclass(frozen=True, slots=True)
class Standing:
    """`results` is the value of our Authentication-Results field, `chain` what the `sets` of ARC on it are worth.

    `policy` is what the domain of the author (`author`, "" if there is none to ask) wants done with mail that fails.
    `organizations` are those of all domains that From may name, which are several only where it is `doubtful`.
    `aligned`: the author's has signed this message, or there is a signature which nobody could check just now.
    `vouched`: a sealer whom we trust says that it had passed when it came there.
    """

    results: str
    chain: Result
    sets: int
    spf: Result
    dmarc: Result
    policy: str
    author: str
    organizations: tuple[str, ...]
    aligned: bool
    vouched: bool
    doubtful: bool
    words: Mapping[str, str] = field(default_factory=dict)  # a word for each method; not in the second pass

    def is_of(self, domain: str) -> bool:
        """Whether what that domain signs or returns counts for this author (relaxed alignment, RFC 9989)."""
        return any(is_within(domain, each) for each in self.organizations)

    def poses_as(self, domain: str) -> bool:
        """Whether it may say falsely that it is from that domain, so that a signature of it would make that true."""
        return self.doubtful or (self.is_of(domain) and self.dmarc is not Result.PASS)

    def asked(self, forward: Forward) -> OnDmarc:
        """What the owner of an alias wants done with this message.

        Who poses as the alias's own domain is treated as that domain would have it with p=reject: our return address
        is of that domain, so that no mailbox behind us could tell any more.
        """
        least = forward.on_quarantine if self.doubtful else OnDmarc.DELIVER
        if self.dmarc is not Result.FAIL or self.vouched or self.policy not in ENFORCED:
            return least
        stern = self.policy == "reject" or self.is_of(forward.address.domain)
        return min(least, forward.on_reject if stern else forward.on_quarantine, key=STERNEST_FIRST.index)

    def is_unsure_of(self, domain: str) -> bool:
        """Whether it may be from that domain, and DNS does not tell just now: then our return address would."""
        return self.dmarc is Result.TEMPERROR and self.is_of(domain)

    def fails_onward(self, domains: Iterable[str], asked: OnDmarc) -> bool:
        """Whether From has to become the alias, or DMARC would fail at the mailbox against its owner's wish.

        SPF will be ours to pass there, for a return address on one of these domains; so only the author's own
        signature speaks for the author. What fails here already and is only tagged goes on as it is: a mailbox that
        puts it among the spam does what the author's domain asks. Where that is to refuse, the owner has chosen else.
        """
        if self.policy not in ENFORCED or self.aligned or any(map(self.is_of, domains)):
            return False
        if self.dmarc is Result.FAIL and not self.vouched:
            return asked is not OnDmarc.TAG or self.policy == "reject"
        return self.dmarc is Result.PASS or self.vouched

    @property
    def warning(self) -> str:
        """What is wrong with it, for the owner, the journal and the field that tags it."""
        match self.dmarc:
            case Result.FAIL:
                return f"DMARC fails; {self.author} asks to {self.policy}"
            case Result.TEMPERROR:
                return f"DNS does not tell whether this is from {self.author}"
            case _:
                return "From names nobody for certain"

    @property
    def note(self) -> str:
        """For the second pass; see `read_note`."""
        flags = "".join(
            flag for flag, said in zip("avd", (self.aligned, self.vouched, self.doubtful), strict=True) if said
        )
        named = "+".join(self.organizations)
        return ",".join((self.chain, str(self.sets), self.spf, self.dmarc, self.policy, self.author, named, flags))


def standing_of(found: Authentication, hostname: str, suffixes: Suffixes, trusted_sealers: frozenset[str]) -> Standing:
    """What authentication amounts to."""
    arc, dmarc = found.arc, found.dmarc
    organizations = tuple(dict.fromkeys(suffixes.organizational(each) or each for each in found.named))
    unsure = (each.domain for each in found.dkim if each.result is Result.TEMPERROR)
    trusted = arc.result is Result.PASS and arc.covers_from and arc.sealers[-1] in trusted_sealers
    return Standing(
        results=written(hostname, found),
        chain=arc.result,
        sets=arc.sets,
        spf=found.spf.result,
        dmarc=dmarc.result,
        policy=dmarc.policy,
        author=dmarc.domain,
        organizations=organizations,
        aligned=dmarc.aligned_dkim or any(is_within(each, one) for each in unsure for one in organizations),
        vouched=trusted and not found.doubtful and _says_pass(arc.results[-1], dmarc.domain),
        doubtful=found.doubtful,
        words=found.summary(),
    )


def _says_pass(results: str, author: str) -> bool:
    """Whether ARC-Authentication-Results say that DMARC passed, once, and for that author's domain."""
    said = read(results.encode())
    about = [each for each in said.statements if each.method == "dmarc"] if said else []
    return [(each.result, dict(each.properties).get("header.from")) for each in about] == [("pass", author)]


def read_note(first: Trace, message: Message) -> Standing | None:
    """The standing as the first pass noted it; None: it was not asked for, or an older version noted it."""
    results = next(message.values(RESULTS_FIELD), None)
    if first.note.count(",") != NOTED - 1 or results is None:
        return None
    chain, sets, spf, dmarc, policy, author, named, flags = first.note.split(",")
    return Standing(
        *(results.decode().strip(), Result(chain), int(sets), Result(spf), Result(dmarc), policy),
        *(author, tuple(filter(None, named.split("+"))), "a" in flags, "v" in flags, "d" in flags),
    )
