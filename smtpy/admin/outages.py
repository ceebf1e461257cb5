"""Why the database (or Postfix's queue) could not be asked, in words and by class; each edge has a code for each class.

What is not in the table is no outage but a defect of ours, and stays the exception it is.
"""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Engine, exc

from smtpy.directory.questions import Unavailable
from smtpy.store import migrate


class Outage(Exception):
    """The message says what is wrong and names the fix; safe to show."""


class Away(Outage):
    """It does not answer now; it may later."""


class NotReady(Outage):
    """It answers, but is not what this version needs."""


class Closed(Outage):
    """This user may not use it so."""


AWAY = Away("the database does not answer; start it or correct database_url, then try again")
BEHIND = NotReady("the database has not the tables of this version; run `smtpy init`")
AHEAD = NotReady("the database is of a newer version than this one; install that version here, too")
MISSING = NotReady("the database cannot be opened; run `smtpy init`")
NO_DATABASE = NotReady("the file of database_url is no SQLite database; correct database_url")
BAD_URL = NotReady("database_url cannot be read; see docs/settings.md")
READ_ONLY = Closed("this user may not write the database; become one who may")

# The first row that fits counts. SQLite says "no such table" by OperationalError, PostgreSQL by ProgrammingError.
OUTAGES: tuple[tuple[type[exc.SQLAlchemyError], str, Outage], ...] = (
    (exc.OperationalError, "no such table", BEHIND),
    (exc.OperationalError, "no such column", BEHIND),
    (exc.OperationalError, "readonly", READ_ONLY),
    (exc.OperationalError, "unable to open", MISSING),
    (exc.OperationalError, "", AWAY),
    (exc.InterfaceError, "", AWAY),
    (exc.TimeoutError, "", AWAY),
    (exc.ProgrammingError, "permission denied", READ_ONLY),
    (exc.ProgrammingError, "does not exist", BEHIND),
    (exc.DatabaseError, "not a database", NO_DATABASE),
    (exc.ArgumentError, "", BAD_URL),
)

_UNFIT = {migrate.Fit.BEHIND: BEHIND, migrate.Fit.AHEAD: AHEAD}


@contextlib.contextmanager
def named() -> Iterator[None]:
    """Within the block, what the database has against answering becomes an Outage."""
    try:
        yield
    except (exc.SQLAlchemyError, Unavailable) as error:
        outage = _outage(error.__cause__ if isinstance(error, Unavailable) else error)
        if outage is None and not isinstance(error, Unavailable):
            raise
        raise outage or AWAY from error


def _outage(error: BaseException | None) -> Outage | None:
    for kind, words, outage in OUTAGES:
        if isinstance(error, kind) and words in str(error).lower():
            return type(outage)(*outage.args)
    return None


def unfit(engine: Engine) -> Outage | None:
    """Why this version must not work on that database; None: it may, or the database cannot be asked now."""
    try:
        return _UNFIT.get(migrate.fit(engine))
    except Unavailable:
        return None
