"""What `smtpy doctor` says of one thing: how bad it is, and how to mend it."""

from dataclasses import dataclass

WARNING = 1  # mail flows, but rests on something that it should not


@dataclass(frozen=True, slots=True)
class Finding:
    """`code`: EX_OK, WARNING, or the code of sysexits(3) for the error; `fix` is empty only when all is well."""

    subject: str
    code: int
    words: str
    fix: str = ""
