"""Senders whose return address would not fit: kept under a token. `SqlDirectory.sender` reads them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from smtpy.directory.questions import Unavailable
from smtpy.store.records import ReturnToken

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def remember(engine: Engine, token: str, sender: str, now: datetime) -> None:
    """Keep a sender, or its last use if it is kept already. It lasts when this returns. Raises Unavailable."""
    row = {"token": token, "sender": sender, "created_at": now, "used_at": now}
    statement = _INSERT[engine.dialect.name](ReturnToken).values(row)
    statement = statement.on_conflict_do_update(index_elements=["token"], set_={"used_at": statement.excluded.used_at})
    try:
        with engine.begin() as connection:
            connection.execute(statement)
    except SQLAlchemyError as error:
        raise Unavailable(f"the database does not take a sender ({type(error).__name__})") from error
