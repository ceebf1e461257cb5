"""How many statements a page takes: `with statements(engine) as seen: ...; assert len(seen) <= 8`."""

import contextlib
from collections.abc import Iterator
from threading import get_ident
from typing import Any

from sqlalchemy import Engine, event


@contextlib.contextmanager
def statements(engine: Engine, *, here: bool = False) -> Iterator[list[str]]:
    """The SQL that is executed within the block, in order; `here`: by this thread, not by what runs beside it."""
    seen: list[str] = []
    mine = get_ident()

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        if not here or get_ident() == mine:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
