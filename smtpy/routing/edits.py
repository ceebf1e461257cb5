"""The changes a plan may ask for. Values; milter/apply.py knows how each is said in the milter protocol."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChangeReversePath:
    """MAIL FROM becomes `path` (without angle brackets; "" is the null reverse-path)."""

    path: str


@dataclass(frozen=True, slots=True)
class RememberSender:
    """Store `sender` under `token` before the message may leave with a return address that names the token."""

    token: str
    sender: str


@dataclass(frozen=True, slots=True)
class AddField:
    """A header field on top of the message; `value` may hold LF-tab folds."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RemoveField:
    """The `index`-th field of that name, counted from 1 at the top, goes."""

    name: str
    index: int


@dataclass(frozen=True, slots=True)
class ReplaceRecipient:
    """The recipient written exactly so in RCPT TO becomes these; none: the recipient goes."""

    recipient: str
    replacements: tuple[str, ...]


Edit = ChangeReversePath | RememberSender | AddField | RemoveField | ReplaceRecipient
