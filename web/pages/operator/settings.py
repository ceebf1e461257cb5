"""Settings: those in force and whence they came, to be read; and what may be changed while the service runs."""

import os

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import choices
from smtpy.admin.choices import SignUp
from smtpy.config.shown import listed
from web import door
from web.auth import admin_only
from web.forms.operator import Mode
from web.i18n import _
from web.pages.operator.frame import pages
from web.toasts import tell


@pages.get("/settings")
@admin_only
def settings() -> ResponseReturnValue:
    """All of them."""
    with door.operating() as session:
        form = Mode(sign_up=choices.sign_up(session).value)
    return _page(form)


@pages.post("/settings")
@admin_only
def settings_set() -> ResponseReturnValue:
    """Who may make an account."""
    form = Mode()
    if not form.validate_on_submit():
        return _page(form), 422
    with door.tending() as c:
        choices.set_sign_up(c, SignUp(form.sign_up.data))
    tell(_("It is so from now on."))
    return redirect(url_for("operator.settings"), 303)


def _page(form: Mode) -> str:
    rows = listed(door.settings(), None, os.environ)
    sources = {"default": _("default"), "file": _("file"), "environment": _("environment")}
    return render_template("operator/settings.html", form=form, rows=rows, sources=sources)
