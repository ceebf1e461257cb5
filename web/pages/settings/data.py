"""A member's data: all of it to take along, and the end of the account."""

from http import HTTPStatus

from flask import Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import own_data
from smtpy.admin.refusals import Refusal
from web import archives, door, sessions
from web.auth import signed_in, sudo
from web.forms import refusals
from web.forms.settings import Leave
from web.i18n import _
from web.limits import limiter
from web.pages.settings import pages


@pages.get("/data")
@signed_in
def data() -> ResponseReturnValue:
    """What may be done with it."""
    return render_template("settings/data.html")


@pages.post("/data/export")
@sudo
@limiter.limit("2/minute")
def data_export() -> ResponseReturnValue:
    """A ZIP of JSON files, sent while it is made."""
    member = door.member()
    with door.personal() as c:
        c.note("user.export", f"user {member.email}", None, None)
    name = f"smtpy-{door.now():%Y-%m-%d}.zip"
    octets = archives.zipped(door.reading(), lambda rows: own_data.parts(rows, member))
    return Response(
        octets, mimetype="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@pages.route("/data/delete", methods=["GET", "POST"])
@sudo
def data_delete() -> ResponseReturnValue:
    """The end of the account, once its address was typed."""
    form, member = Leave(), door.member()
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_submitted() else HTTPStatus.OK
    if form.validate_on_submit():
        if (form.email.data or "").strip().casefold() == member.email.casefold():
            try:
                with door.change() as c:
                    own_data.leave(c, member)
            except Refusal as refusal:
                status = HTTPStatus(refusals.show(form, refusal, "email"))
            else:
                sessions.leave()
                return redirect(url_for("signing.left"), HTTPStatus.SEE_OTHER)
        else:
            form.email.errors = [_("That is not the address of this account.")]
    with door.reading() as rows:
        owned = own_data.owns(rows, member)
    return render_template("settings/delete.html", form=form, owned=owned), status
