"""Announcements: written here, shown above each page to whoever is signed in."""

from datetime import UTC, datetime

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import announcements as admin
from smtpy.admin.announcements import AnnouncementView, Level
from smtpy.admin.refusals import Invalid
from web import banner, door
from web.auth import admin_only
from web.forms.announcements import Announce
from web.i18n import _
from web.pages.operator.frame import pages
from web.places import place
from web.toasts import tell
from web.told import told

PAGE = 20


@pages.get("/announcements")
@admin_only
def announcements() -> ResponseReturnValue:
    """A new one, and those there were."""
    return _page(Announce())


@pages.post("/announcements")
@admin_only
def announcements_add() -> ResponseReturnValue:
    """Tell everybody."""
    form = Announce()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        with door.tending() as c:
            admin.add(
                c,
                form.text.data,
                level=Level(form.level.data),
                shown_from=_utc(form.shown_from.data),
                shown_until=_utc(form.shown_until.data),
            )
    except Invalid as refusal:
        form[refusal.field].errors = [told(refusal.message)]
        return _page(form), 422
    banner.forget()
    tell(_("It is announced."))
    return redirect(url_for("operator.announcements"), 303)


@pages.post("/announcements/<uuid:announcement>/end")
@admin_only
def announcements_end(announcement: str) -> ResponseReturnValue:
    """Show it no more."""
    with door.tending() as c:
        admin.end(c, str(announcement))
    banner.forget()
    tell(_("It is shown no more."))
    return redirect(url_for("operator.announcements"), 303)


def _page(form: Announce) -> str:
    before = place("before") or None
    with door.operating() as session:
        rows = admin.page(session, before=before, limit=PAGE)
    return render_template(
        "operator/announcements.html",
        form=form,
        rows=rows,
        state_of=_state,
        newer=url_for("operator.announcements") if before else None,
        older=url_for("operator.announcements", before=rows[-1].id) if len(rows) == PAGE else None,
    )


def _state(row: AnnouncementView) -> tuple[str, str]:
    now = door.now()
    if row.shown_until is not None and row.shown_until <= now:
        return _("Over"), "off"
    return (_("Later"), "wait") if row.shown_from > now else (_("Shown"), "good")


def _utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value else None
