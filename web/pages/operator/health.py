"""Health: what `smtpy doctor` finds, in colour. The last look is kept for a while; a new one takes seconds at most."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.config import gather
from smtpy.doctor import rounds
from smtpy.doctor.finding import WARNING, Finding
from web import door
from web.auth import admin_only
from web.i18n import _
from web.limits import limiter
from web.pages.operator.frame import pages
from web.toasts import tell

SECONDS = 8.0  # for all checks together, which are made at once
FRESH = timedelta(minutes=5)  # for which a look is shown again
_NAME = "smtpy.look"


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, and when."""

    at: datetime
    found: tuple[Finding, ...]

    def of(self, kind: str) -> list[Finding]:
        """Findings of a kind: bad, warn or good."""
        return [each for each in self.found if kind_of(each) == kind]


def kind_of(finding: Finding) -> str:
    """The kind of state that a finding is."""
    return "good" if finding.code == os.EX_OK else "warn" if finding.code == WARNING else "bad"


@pages.get("")
@admin_only
def health() -> ResponseReturnValue:
    """What is wrong, worst first."""
    look: Look | None = current_app.extensions.get(_NAME)
    if look is None or door.now() - look.at > FRESH:
        look = _look()
    return render_template("operator/health.html", look=look)


@pages.post("")
@admin_only
@limiter.limit("12/minute")
def health_again() -> ResponseReturnValue:
    """Look again."""
    _look()
    tell(_("Everything was looked at again."))
    return redirect(url_for("operator.health"), 303)


def _look() -> Look:
    settings = door.settings()
    secrets = tuple(gather(None, os.environ).secret_files)
    here = rounds.Installation(settings, secrets, settings.postfix_dir)
    look = Look(door.now(), tuple(rounds.within(here, SECONDS)))
    current_app.extensions[_NAME] = look
    return look
