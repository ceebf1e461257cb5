"""Forms as a browser has them: read from a page, filled in with something, and sent where they say."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

FILLED = {"email": "new@inbox.example", "password": "nine purple lanterns sing", "date": "2031-01-01", "number": "5"}
BY_NAME = {"domain": "new.example", "name": "new.example", "pattern": "shop-.*", "address": "new@inbox.example"}


@dataclass(slots=True)
class Form:
    """`fields`: what would be sent if somebody pressed its button."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """All forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(said.get("action", ""), said.get("method", "get").upper())
            self.found.append(self._open)
        if self._open is None:
            return
        name, kind = said.get("name", ""), said.get("type", "text")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and (self._select not in self._open.fields or "selected" in said):
            self._open.fields[self._select] = said.get("value", "")
        elif tag == "textarea" and name:
            self._open.fields[name] = "some words"
        elif tag == "button" and name:
            self._open.fields.setdefault(name, said.get("value", ""))
        elif tag == "input" and name:
            self._input(name, kind, said)

    def _input(self, name: str, kind: str, said: dict[str, str]) -> None:
        assert self._open is not None
        if kind in ("checkbox", "radio"):
            if name not in self._open.fields or "checked" in said:
                self._open.fields[name] = said.get("value") or "y"
        elif kind != "submit":
            filled = FILLED.get(kind) or BY_NAME.get(name) or "word"
            self._open.fields[name] = said.get("value") or ("" if kind == "hidden" else filled)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "select":
            self._select = ""


def forms(page: str) -> list[Form]:
    """Those that are sent by POST."""
    parser = Forms()
    parser.feed(page)
    return [form for form in parser.found if form.method == "POST"]
