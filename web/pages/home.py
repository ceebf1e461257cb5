"""The first page: a new alias in one line, what happened to a member's mail, and what they should look after."""

from flask import Blueprint, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import alias_lists, domains, figures, mailboxes, messages
from smtpy.admin.alias_lists import Wanted
from smtpy.admin.concerns import concerns
from web import door
from web.auth import signed_in

pages = Blueprint("home", __name__)

NEWEST = 5  # aliases
LATEST = 10  # messages


@pages.get("/")
@signed_in
def dashboard() -> ResponseReturnValue:
    """The dashboard."""
    now = door.now()
    with door.reading() as session:
        own = domains.page(session)
        page = alias_lists.page(session, Wanted(), now, limit=NEWEST)
        days = figures.days(session, now.date())
        return render_template(
            "home/dashboard.html",
            domains=[each for each in own if each.enabled],
            mailboxes=mailboxes.page(session),
            aliases=page.aliases,
            concerns=concerns(session, now),
            days=days,
            total=figures.total(days),
            page=messages.page(session, limit=LATEST),
            start=_start(),
        )


def _start() -> str:
    """Where the first hour begins."""
    wizard = "welcome.start"
    return url_for(wizard if wizard in current_app.view_functions else "domains.add")
