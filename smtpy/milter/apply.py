"""Say a plan's edits in the words of the milter protocol. A loop over values; decides nothing.

A sender is stored before anything that needs it is told to Postfix, and nothing is told when that fails. All edits are
one answer; one that does not end in a verdict leaves end-of-message as a 451, and Postfix drops the whole queue file.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import assert_never

from smtpy.milter import protocol
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


def apply(edits: Iterable[Edit], remember: Callable[[str, str], None]) -> bytes:
    """The packets that make the edits. `remember(token, sender)` stores a sender or raises Unavailable."""
    return b"".join(packet for edit in edits for packet in _packets(edit, remember))


def _packets(edit: Edit, remember: Callable[[str, str], None]) -> Iterator[bytes]:
    match edit:
        case AddField() | RemoveField() | ChangeField():
            yield _field(edit)
        case RememberSender(token, sender):
            remember(token, sender)
        case ChangeReversePath(path):
            yield protocol.change_sender(f"<{path}>")
        case Hold(reason):
            yield protocol.quarantine(reason)
        case ReplaceRecipient(recipient, replacements):
            # A recipient is known only by the exact text of RCPT TO, and takes its expansions with it.
            yield protocol.delete_recipient(f"<{recipient}>")
            for replacement in replacements:
                yield protocol.add_recipient(f"<{replacement}>")
        case _:
            assert_never(edit)


def _field(edit: FieldEdit) -> bytes:
    """With leading blanks agreed, the one behind the colon is ours to give."""
    match edit:
        case AddField(name, value):
            return protocol.add_field(name, f" {value}")
        case ChangeField(name, index, value):
            return protocol.change_field(name, index, f" {value}")
        case RemoveField(name, index):
            return protocol.change_field(name, index, "")
        case _:
            assert_never(edit)
