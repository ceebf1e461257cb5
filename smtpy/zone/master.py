"""Records as lines of a master file (RFC 1035 section 5), to be pasted into a zone: names absolute, TXT cut to length.

A character-string holds 255 octets at most (section 3.3); who reads a TXT record joins its strings without a blank
between (RFC 7208 section 3.3, RFC 6376 section 3.6.2.2).
"""

from collections.abc import Iterable, Iterator

from smtpy.zone.records import Wanted

STRING = 255  # octets
TTL = 3600  # seconds: soon enough forgotten when a record must be changed


def lines(wanted: Iterable[Wanted]) -> Iterator[str]:
    """Each record under a comment that says what it is for."""
    for record in wanted:
        need = "required" if record.required else "recommended"
        yield f"; {record.kind}, {need}. {record.why}"
        yield f"{record.name}. {TTL} IN {record.type} {_data(record)}"


def _data(record: Wanted) -> str:
    return strings(record.value) if record.type == "TXT" else f"{record.value}."


def strings(text: str) -> str:
    """A TXT record's text (ASCII) as quoted strings."""
    pieces = [text[start : start + STRING] for start in range(0, len(text), STRING)]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
