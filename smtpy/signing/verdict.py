"""What becomes of one signature or one key: a result and, in words for an Authentication-Results comment, the reason.

The words are constants of this package: nothing of a message or of DNS is repeated in them.
"""

from dataclasses import dataclass

from smtpy.signing.result import Result


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` is empty where the result says all."""

    result: Result
    why: str = ""


PASS = Verdict(Result.PASS)


class Refused(Exception):
    """It does not hold, or may not be believed; `verdict` says what to report."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.why)
        self.verdict = verdict
