"""Say a plan's edits in the words of the milter protocol. A loop over values; decides nothing.

Order matters in one place: a sender is stored before anything that needs it, and nothing is told to Postfix when that
fails. If a call fails half-way the exception leaves end-of-message as a 451, and Postfix drops the whole queue file.
"""

from collections.abc import Callable, Iterable
from typing import Protocol, assert_never

from smtpy.routing.edits import (
    AddField,
    ChangeField,
    ChangeReversePath,
    Edit,
    FieldEdit,
    Hold,
    RememberSender,
    RemoveField,
    ReplaceRecipient,
)


class Context(Protocol):
    """The part of pymilter's context that edits a message."""

    def addheader(self, field: str, value: str, idx: int) -> None: ...
    def chgheader(self, field: str, idx: int, value: str | None) -> None: ...
    def addrcpt(self, rcpt: str) -> None: ...
    def delrcpt(self, rcpt: str) -> None: ...
    def chgfrom(self, sender: str) -> None: ...
    def quarantine(self, reason: str) -> None: ...


def apply(edits: Iterable[Edit], context: Context, remember: Callable[[str, str], None]) -> None:
    """Make the edits. `remember(token, sender)` stores a sender or raises Unavailable."""
    for edit in edits:
        match edit:
            case AddField() | RemoveField() | ChangeField():
                _field(edit, context)
            case RememberSender(token, sender):
                remember(token, sender)
            case ChangeReversePath(path):
                context.chgfrom(f"<{path}>")
            case Hold(reason):
                context.quarantine(reason)
            case ReplaceRecipient(recipient, replacements):
                # delrcpt knows a recipient only by the exact text of RCPT TO, and takes its expansions with it.
                context.delrcpt(f"<{recipient}>")
                for replacement in replacements:
                    context.addrcpt(f"<{replacement}>")
            case _:
                assert_never(edit)


def _field(edit: FieldEdit, context: Context) -> None:
    """With leading space negotiated, the blank behind the colon is ours to give."""
    match edit:
        case AddField(name, value):
            context.addheader(name, f" {value}", 0)  # index 0: on top
        case ChangeField(name, index, value):
            context.chgheader(name, index, f" {value}")
        case RemoveField(name, index):
            context.chgheader(name, index, None)
        case _:
            assert_never(edit)
