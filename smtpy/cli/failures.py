"""Expected failures of database and administration, in words and an exit code; one table.

Imported with the database only: nothing here is needed by a command that asks no database.
"""

import contextlib
import os
from collections.abc import Iterator

from sqlalchemy import exc

from smtpy.admin.refusals import AlreadyThere, InTrash, InUse, Invalid, NotFound, Refusal
from smtpy.cli.setup import Trouble
from smtpy.directory.questions import Unavailable

_AWAY = "the database does not answer; start it or correct database_url, then try again"
_BEHIND = "the database has not the tables of this version; run `smtpy init`"
REFUSALS: dict[type[Refusal], int] = {
    NotFound: os.EX_NOUSER,
    Invalid: os.EX_DATAERR,
    AlreadyThere: os.EX_CANTCREAT,
    InTrash: os.EX_CANTCREAT,
    InUse: os.EX_UNAVAILABLE,
}
# The first row that fits counts. SQLite says "no such table" by OperationalError, PostgreSQL by ProgrammingError.
FAILURES: tuple[tuple[type[Exception], str, int, str], ...] = (
    (exc.OperationalError, "no such table", os.EX_CONFIG, _BEHIND),
    (exc.OperationalError, "no such column", os.EX_CONFIG, _BEHIND),
    (exc.OperationalError, "readonly", os.EX_NOPERM, "this user may not write the database; become one who may"),
    (exc.OperationalError, "unable to open", os.EX_CONFIG, "the database cannot be opened; run `smtpy init`"),
    (exc.OperationalError, "", os.EX_TEMPFAIL, _AWAY),
    (exc.InterfaceError, "", os.EX_TEMPFAIL, _AWAY),
    (exc.TimeoutError, "", os.EX_TEMPFAIL, _AWAY),
    (exc.ProgrammingError, "does not exist", os.EX_CONFIG, _BEHIND),
    (exc.DatabaseError, "not a database", os.EX_CONFIG, "the file of database_url is no SQLite database"),
    (exc.ArgumentError, "", os.EX_CONFIG, "database_url cannot be read; see docs/settings.md"),
)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Within the block, refusals and the failures of the table become Trouble; the rest stays what it is."""
    try:
        yield
    except Refusal as refusal:
        raise Trouble(REFUSALS[type(refusal)], refusal.message) from None
    except exc.SQLAlchemyError as error:
        if (trouble := _trouble(error)) is None:
            raise
        raise trouble from error
    except Unavailable as error:
        cause = error.__cause__
        known = _trouble(cause) if isinstance(cause, exc.SQLAlchemyError) else None
        raise known or Trouble(os.EX_TEMPFAIL, _AWAY) from error


def _trouble(error: exc.SQLAlchemyError) -> Trouble | None:
    for kind, words, code, advice in FAILURES:
        if isinstance(error, kind) and words in str(error).lower():
            return Trouble(code, advice)
    return None
