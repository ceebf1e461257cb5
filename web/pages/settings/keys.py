"""API keys: what programs sign in with. To make one takes sudo, and it is shown once."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import api_keys
from smtpy.admin.refusals import Refusal
from web import door, letters
from web.auth import signed_in, sudo
from web.forms import refusals
from web.forms.settings import NewKey
from web.i18n import _
from web.pages.settings import pages
from web.toasts import tell


@pages.get("/api-keys", endpoint="api_keys")
@signed_in
def listing() -> ResponseReturnValue:
    """Those there are."""
    with door.reading() as rows:
        keys = api_keys.of_member(rows, door.member().id)
    return render_template("settings/api_keys.html", keys=keys)


@pages.route("/api-keys/new", methods=["GET", "POST"])
@sudo
def api_key_new() -> ResponseReturnValue:
    """Another one."""
    form = NewKey()
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        days = int(form.days.data)
        until = door.now() + timedelta(days=days) if days else None
        asked: dict[str, Any] = {"name": form.name.data or "", "scopes": form.scopes.data or [], "expires_at": until}
        try:
            with door.personal() as c:
                made, key = api_keys.add(c, door.member().id, **asked)
        except Refusal as refusal:
            status = HTTPStatus(refusals.show(form, refusal, "name"))
        else:
            letters.tell_changed(door.member(), "key.add")
            return render_template("settings/api_key.html", made=made, key=key)
    return render_template("settings/api_key_new.html", form=form), status


@pages.post("/api-keys/<uuid:key>/revoke")
@signed_in
def api_key_revoke(key: str) -> ResponseReturnValue:
    """Whoever has it comes in no more."""
    with door.personal() as c:
        gone = api_keys.revoke(c, str(key))
    tell(_("The API key %(name)s is revoked.", name=gone.name))
    return redirect(url_for("settings.api_keys"), HTTPStatus.SEE_OTHER)
