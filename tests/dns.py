"""A DNS on paper: `Zone({"a.example": {"TXT": [...], "A": [...]}})`. Names not in it do not exist."""

from collections.abc import Mapping, Sequence
from typing import Any

from smtpy.dns import NO_SUCH_NAME, Answer, DnsTrouble, Kind


class Zone:
    """Records as `smtpy.dns.Answer` has them (TXT may be str); "SERVFAIL" or "TIMEOUT" instead of any is trouble."""

    def __init__(self, names: Mapping[str, Mapping[str, Sequence[Any]] | str]) -> None:
        self.names = {name.lower().rstrip("."): records for name, records in names.items()}
        self.asked: list[tuple[str, str]] = []

    def ask(self, name: str, kind: Kind) -> Answer:
        self.asked.append((name, kind))
        found = self.names.get(name.lower().rstrip("."))
        if found is None:
            return NO_SUCH_NAME
        if isinstance(found, str):
            raise DnsTrouble(found)
        records = found.get(kind, ())
        if isinstance(records, str):
            raise DnsTrouble(records)
        if not records and kind != "CNAME" and "CNAME" in found:
            return self.ask(str(found["CNAME"][0]), kind)
        return Answer(tuple(each.encode() if kind == "TXT" and isinstance(each, str) else each for each in records))
