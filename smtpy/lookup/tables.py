"""The tables Postfix looks addresses up in: `domains` and `aliases`, each a function from key to reply. Pure.

Postfix sends whole keys only (socketmap_table(5)): no extension is cut off and no @domain is asked for, so extensions
and the catch-all are ours to find. smtpd sends keys in lower case, cleanup as the client wrote them; domains come as
A-labels or U-labels, quoted local parts quoted. It also asks about every foreign sender and about every mailbox it was
given, so most questions are about domains of others.

Replies: OK, NOTFOUND (Postfix says 550) or TEMP (451). Never PERM, which is 451 for the client and mail for the
postmaster each time.
"""

from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from smtpy.directory.questions import Directory
from smtpy.directory.resolve import Drop, Foreign, Forward, House, Refused, Return, resolve
from smtpy.lookup.netstring import MAX_LENGTH
from smtpy.mail.address import ANY_LENGTH, BadAddress, parse, parse_domain
from smtpy.routing.internal import DROP_ADDRESS

NOT_FOUND = b"NOTFOUND "  # the blank belongs to it
NO_SUCH_TABLE = b"TEMP no such table"
TOO_MANY_MAILBOXES = b"TEMP this address has more mailboxes than fit a reply"

Table = Callable[[str, Directory, House, datetime], bytes]


def look_up(request: bytes, directory: Directory, house: House, now: datetime) -> bytes:
    """The reply to `table key`. Raises Unavailable."""
    name, _, key = request.partition(b" ")
    table = TABLES.get(name)
    if table is None:
        return NO_SUCH_TABLE  # main.cf is wrong, the address may be right
    try:
        return table(key.decode("utf-8"), directory, house, now)
    except (BadAddress, UnicodeDecodeError):
        return NOT_FOUND


def domains(key: str, directory: Directory, house: House, _now: datetime) -> bytes:
    """Whether we answer for that domain; switched off or not, for its addresses say that one by one."""
    name = parse_domain(key)
    known = name == house.hostname or directory.domain(name) is not None
    return b"OK " + name.encode() if known else NOT_FOUND


def aliases(key: str, directory: Directory, house: House, now: datetime) -> bytes:
    """Where mail to that address goes now."""
    found = resolve(parse(key, max_local=ANY_LENGTH), directory, house, now)
    match found:
        case Forward(mailboxes=mailboxes):
            return _found(*mailboxes)
        case Return(sender=sender):
            return _found(sender)
        case Drop():
            return _found(DROP_ADDRESS)
        case Refused(reply=reply):
            return b"TEMP " + reply.text.encode() if reply.temporary else NOT_FOUND
        case Foreign():
            return NOT_FOUND
        case never:
            assert_never(never)


def _found(*addresses: str) -> bytes:
    reply = b"OK " + ", ".join(addresses).encode()
    return reply if len(reply) <= MAX_LENGTH else TOO_MANY_MAILBOXES


TABLES: dict[bytes, Table] = {b"domains": domains, b"aliases": aliases}
