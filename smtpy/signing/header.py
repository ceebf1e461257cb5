"""A header as signatures see it: where the fields of a name stand, and each in canonical form, worked out once.

Verifying every signature, validating the chain, signing and sealing all read the same `Header`; a field's canonical
form is made when first wanted and kept.
"""

from collections.abc import Iterable, Sequence

from smtpy.mail.message import Field
from smtpy.signing import canonical


class Header:
    """The fields of one message, top first. Make another when a field is changed, or `topped` when one is added."""

    __slots__ = ("_positions", "_relaxed", "fields")

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = tuple(fields)
        self._relaxed: dict[int, bytes] = {}
        self._positions: dict[bytes, list[int]] = {}
        for position, field in enumerate(self.fields):
            self._positions.setdefault(_name(field), []).append(position)

    def topped(self, added: Iterable[Field]) -> "Header":
        """The header with these fields on top; what was worked out of the others is kept."""
        new = tuple(added)
        other = Header((*new, *self.fields))
        other._relaxed = {len(new) + position: form for position, form in self._relaxed.items()}
        return other

    def positions(self, name: bytes) -> Sequence[int]:
        """Where the fields of that name stand, top first; `name` in lower case."""
        return self._positions.get(name, ())

    def relaxed(self, position: int) -> bytes:
        """The field at that position in relaxed form."""
        found = self._relaxed.get(position)
        if found is None:
            found = self._relaxed[position] = canonical.relaxed(self.fields[position])
        return found

    def chosen(self, names: Sequence[bytes], *, relaxed: bool, but: int | None = None) -> bytes:
        """The fields an h= list names, in its order; of one name the lowest first (RFC 6376 section 5.4.2).

        A name for which no field is left stands for nothing, which is how a field's absence is signed. `but` is where
        the signature itself stands, which was not there yet when it was made.
        """
        left = {name: [*where] for name in set(names) if (where := self._positions.get(name))}
        if but is not None and (own := left.get(_name(self.fields[but]))):
            own.remove(but)
        chosen = [left[name].pop() for name in names if left.get(name)]
        if relaxed:
            return b"".join(map(self.relaxed, chosen))
        return b"".join(canonical.simple(self.fields[position]) for position in chosen)


def _name(field: Field) -> bytes:
    return field.name.rstrip(b" \t").lower()
