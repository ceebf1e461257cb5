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
    if len(values) != 1 or not (b"," in values[0] or b";" in values[0]):  # as nearly all
        return len(values)
    try:
        return len({each.address.domain for each in named(values[0])})
    except BadAuthor:
        return 1


def is_rewritable(message: Message, alias: Address) -> bool:
    """Whether `author_edits` makes any: it takes one author who can be read."""
    return rewritten(next(message.values(FROM), b""), str(alias)) is not None


def author_edits(message: Message, alias: Address) -> Iterator[Edit]:
    """The edits; none where From is not to be read as one author's."""
    value = next(message.values(FROM), b"")
    if new := rewritten(value, str(alias)):
        yield ChangeField(FROM, 1, new)
        if next(message.values(REPLY_TO), None) is None:
            yield AddField(REPLY_TO, ", ".join(str(each.address) for each in named(value)))
