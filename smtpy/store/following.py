"""How a standby does beside its primary: asked of both by connections of their own, for who looks after them."""

from dataclasses import dataclass

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from smtpy.store.engine import open_engine

_PLACE = text("SELECT system_identifier, pg_current_wal_lsn()::text AS place FROM pg_control_system()")
_COME = text(
    "SELECT system_identifier, pg_is_in_recovery() AS follows, pg_last_wal_replay_lsn() >= :place AS is_level,"
    " extract(epoch FROM now() - pg_last_xact_replay_timestamp()) AS seconds FROM pg_control_system()"
)


@dataclass(frozen=True, slots=True)
class Following:
    """`is_ours`: of the database of the primary, as far as that could be asked; `follows`: it is a standby.

    `seconds` for which it has replayed nothing, though the primary has written more; 0 where it has all.
    """

    is_ours: bool
    follows: bool
    seconds: int


def look(primary_url: str, standby_url: str, deadline: float) -> Following | None:
    """None: the standby does not answer."""
    primary = _asked(primary_url, deadline)
    standby = _asked(standby_url, deadline, place=primary.place if primary else "0/0")
    if standby is None:
        return None
    is_ours = primary is None or primary.system_identifier == standby.system_identifier
    return Following(is_ours, standby.follows, 0 if standby.is_level else round(standby.seconds or 0))


def _asked(url: str, deadline: float, place: str = "") -> "Row[tuple[object, ...]] | None":
    engine = open_engine(url, deadline=deadline)
    try:
        with engine.connect() as connection:
            return connection.execute(_COME if place else _PLACE, {"place": place} if place else {}).one()
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()
