"""The changes a plan may ask for. Values; milter/apply.py knows how each is said in the milter protocol.

`edited` makes them on a message that is a value: what is signed is what Postfix will have made of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from smtpy.mail.message import Field, Message


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
class ChangeField:
    """The `index`-th field of that name, counted from 1 at the top, gets another value, where it stands."""

    name: str
    index: int
    value: str


@dataclass(frozen=True, slots=True)
class Hold:
    """The message waits in Postfix's hold queue until somebody lets it go (postsuper(1), -H)."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReplaceRecipient:
    """The recipient written exactly so in RCPT TO becomes these; none: the recipient goes."""

    recipient: str
    replacements: tuple[str, ...]


FieldEdit = AddField | RemoveField | ChangeField
Edit = FieldEdit | ChangeReversePath | RememberSender | Hold | ReplaceRecipient


def edited(message: Message, edits: Iterable[Edit]) -> Message:
    """The message with these edits made, as Postfix makes them."""
    edits, envelope = tuple(edits), message.envelope
    for edit in edits:
        match edit:
            case ChangeReversePath(path):
                envelope = replace(envelope, reverse_path=path)
            case ReplaceRecipient(recipient, replacements):
                left = [each for each in envelope.recipients if each != recipient]
                envelope = replace(envelope, recipients=(*left, *replacements))
            case AddField() | ChangeField() | RemoveField() | RememberSender() | Hold():
                pass
            case _:
                assert_never(edit)
    return replace(message, fields=edited_fields(message.fields, edits), envelope=envelope)


def edited_fields(fields: Iterable[Field], edits: Sequence[Edit]) -> tuple[Field, ...]:
    """Its header alone. Removals come first and count fields as they came."""
    kept = _kept(fields, edits)
    for edit in edits:
        if isinstance(edit, AddField | ChangeField):
            _edit_fields(kept, edit)
    return tuple(kept)


def field_of(edit: AddField) -> Field:
    """The field as it will stand there, with the blank that milter/apply.py gives it."""
    return Field(edit.name.encode(), b" " + edit.value.encode())


def _kept(fields: Iterable[Field], edits: Iterable[Edit]) -> list[Field]:
    """The fields without those that are removed, in one pass."""
    removed = {(edit.name.lower().encode(), edit.index) for edit in edits if isinstance(edit, RemoveField)}
    if not removed:
        return list(fields)
    seen: Counter[bytes] = Counter()
    kept = []
    for field in fields:
        name = field.name.lower()
        seen[name] += 1
        if (name, seen[name]) not in removed:
            kept.append(field)
    return kept


def _edit_fields(fields: list[Field], edit: AddField | ChangeField) -> None:
    if isinstance(edit, AddField):
        fields.insert(0, field_of(edit))
        return
    at = [at for at, field in enumerate(fields) if field.named(edit.name)][edit.index - 1]
    fields[at] = Field(fields[at].name, b" " + edit.value.encode())
