"""From: of how many domains it names authors; and rewritten to an alias, for mail that would fail DMARC behind us.

The alias's domain can vouch for the alias. Who wrote stays readable in the name and in reach by Reply-To, which is
added if the author has set none (RFC 5322 section 3.6.2).
"""

from collections.abc import Iterator

from smtpy.authn.author import BadAuthor, named, rewritten
from smtpy.mail.address import Address
from smtpy.mail.message import Message
from smtpy.routing.edits import AddField, ChangeField, Edit

FROM, REPLY_TO = "From", "Reply-To"


def author_domains(message: Message) -> int:
    """Of how many domains the From fields name authors for certain; each field counts for one at the least."""
    values = tuple(message.values(FROM))
    if len(values) != 1 or b"," not in values[0]:  # as nearly all
        return len(values)
    try:
        return len({each.address.domain for each in named(values[0])})
    except BadAuthor:
        return 1


def author_edits(message: Message, alias: Address) -> Iterator[Edit]:
    """The edits; none if From cannot be read (then DMARC has not been asked either)."""
    value = next(message.values(FROM), b"")
    if new := rewritten(value, str(alias)):
        yield ChangeField(FROM, 1, new)
        if next(message.values(REPLY_TO), None) is None:
            yield AddField(REPLY_TO, ", ".join(str(each.address) for each in named(value)))
