"""The first page: a new alias in one line, what happened to a member's mail, and what they should look after."""

from flask import Blueprint, render_template
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
        )
