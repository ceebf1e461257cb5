"""The verdicts on a message that arrived, together: what the plan, the journal and people are told."""

from dataclasses import dataclass

from smtpy.authn.dmarc import Dmarc
from smtpy.authn.spf import Spf
from smtpy.signing.arc import Validated
from smtpy.signing.dkim import Verified
from smtpy.signing.result import Result

# of several signatures the best one speaks: one that holds is enough (RFC 6376 section 4.2)
BEST_FIRST = (Result.PASS, Result.TEMPERROR, Result.FAIL, Result.POLICY, Result.NEUTRAL, Result.PERMERROR)


@dataclass(frozen=True, slots=True)
class Authentication:
    """One verdict a method; `dkim` has one for each signature, in the order of the fields.

    `named` are the domains that From may name, of which `dmarc` has the sternest verdict; `doubtful`: not for certain.
    """

    spf: Spf
    dkim: tuple[Verified, ...]
    arc: Validated
    dmarc: Dmarc
    named: tuple[str, ...] = ()
    doubtful: bool = False

    @property
    def dkim_result(self) -> Result:
        """The best result of all signatures; NONE without any."""
        found = {each.result for each in self.dkim}
        return next((result for result in BEST_FIRST if result in found), Result.NONE)

    def summary(self) -> dict[str, str]:
        """One word a method."""
        return {
            "spf": self.spf.result.value,
            "dkim": self.dkim_result.value,
            "dmarc": self.dmarc.result.value,
            "arc": self.arc.result.value,
        }
