"""Users: who they are, what is theirs, when they were last here; and what an administrator decides about them."""

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import audit, estate, members, roll
from smtpy.admin.audit import Wanted
from smtpy.admin.change import Change
from smtpy.admin.refusals import Refusal
from web import door
from web.auth import admin_only
from web.i18n import _
from web.pages.operator.frame import pages
from web.pages.operator.lists import listed
from web.toasts import tell
from web.told import told

LATELY = 10  # acts on a user's page

ACTS: dict[str, Callable[[Change, str], object]] = {
    "on": members.on,
    "off": roll.off,
    "admin": roll.appoint_admin,
    "user": roll.appoint_user,
    "delete": roll.delete,
    "restore": members.restore,
    "sign-out": roll.sign_out,
}
UNDO = {"on": "off", "off": "on", "admin": "user", "user": "admin", "delete": "restore"}


@pages.get("/users")
@admin_only
def users() -> ResponseReturnValue:
    """Users, in the order in which they came."""
    return listed(
        "operator.users", roll.page, _states(), about=_("Address or name"), number=lambda row: int(row.user.id)
    )


def _states() -> dict[str, str]:
    return {"": _("all"), "on": _("on"), "off": _("off"), "admin": _("administrators"), "trash": _("in the trash")}


@pages.get("/users/<uuid:user>")
@admin_only
def users_one(user: str) -> ResponseReturnValue:
    """One user."""
    with door.operating() as session:
        entry = roll.show(session, str(user))
        theirs = estate.page(session, about=entry.user.email, limit=LATELY)
        acts = audit.page(session, Wanted(actor=f"web:{entry.user.email}"), limit=LATELY)
    return render_template("operator/user.html", entry=entry, theirs=theirs, acts=acts)


@pages.post("/users/<uuid:user>")
@admin_only
def users_act(user: str) -> ResponseReturnValue:
    """Switch, appoint, put into the trash or take out, end sessions."""
    what = request.form.get("act", "")
    back = redirect(url_for("operator.users_one", user=user), 303)
    if what not in ACTS:
        return back
    if str(user) == door.member().uuid:
        tell(_("Somebody else has to do that to you."), "bad")
        return back
    try:
        with door.governing() as c:
            ACTS[what](c, str(user))
    except Refusal as refusal:
        tell(told(refusal.message), "bad")
        return back
    undo = UNDO.get(what)
    tell(_done()[what], undo=url_for("operator.users_act", user=user) if undo else "", act=undo or "")
    return back


def _done() -> dict[str, str]:
    return {
        "on": _("They may sign in again."),
        "off": _("They are signed out and may not sign in. Their mail goes on."),
        "admin": _("They are an administrator now."),
        "user": _("They are an administrator no more."),
        "delete": _("They are in the trash, from which they can be restored."),
        "restore": _("They are back."),
        "sign-out": _("All their sessions have ended."),
    }
