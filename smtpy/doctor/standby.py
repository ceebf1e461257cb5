"""The standby from which mail is decided as well (smtpy.store.standby): that it is one, of our database, and follows.

What it lacks stops no mail, for the primary is asked then. Only a copy of another database must not be believed.
"""

import os
from collections.abc import Iterator

from smtpy.config import Settings
from smtpy.doctor.finding import WARNING, Finding
from smtpy.store.following import look

LATE_SECONDS = 10


def examine(settings: Settings) -> Iterator[Finding]:
    """What a primary that is away would have told, is not."""
    if not settings.standby_url:
        yield Finding("standby", os.EX_OK, "none is asked: standby_url is not set")
        return
    found = look(settings.database_url, settings.standby_url, settings.deadline_seconds)
    if found is None:
        yield Finding("standby", WARNING, "the standby does not answer", "start it, or take standby_url away")
    elif not found.is_ours:
        words = "the standby is one of another database: mail may be decided by what is not ours"
        yield Finding("standby", os.EX_CONFIG, words, "correct standby_url")
    elif not found.follows:
        words = "what standby_url leads to is no standby, or none any more"
        yield Finding("standby", WARNING, words, "if it was promoted, have database_url lead to it")
    elif found.seconds > LATE_SECONDS:
        words = f"the standby is {found.seconds} s behind"
        yield Finding("standby", WARNING, words, "look at pg_stat_replication on the primary")
    else:
        yield Finding("standby", os.EX_OK, "the standby follows the primary")
