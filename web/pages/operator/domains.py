"""All domains: whose they are, what DNS shows of them, whether their mail is signed. Changing them is their owners'."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import estate
from smtpy.admin.estate import STATES
from web import door
from web.auth import admin_only
from web.i18n import _
from web.pages.operator.frame import pages
from web.places import place

PAGE = 50


@pages.get("/domains")
@admin_only
def domains() -> ResponseReturnValue:
    """Domains, in the order in which they came."""
    about, state = request.args.get("about", "").strip()[:320], request.args.get("state", "")
    state = state if state in STATES else ""
    after = place("after")
    with door.operating() as session:
        rows = estate.page(session, about=about, state=state, after=after, limit=PAGE)  # type: ignore[arg-type]  # one of STATES
    given = {name: value for name, value in (("about", about), ("state", state)) if value}
    return render_template(
        "operator/domains.html",
        rows=rows,
        about=about,
        state=state,
        states=_states(),
        newer=url_for("operator.domains", **given) if after else None,  # type: ignore[arg-type]  # texts
        older=url_for("operator.domains", **given, after=rows[-1].domain.id) if len(rows) == PAGE else None,  # type: ignore[arg-type]
    )


def _states() -> dict[str, str]:
    return {
        "": _("all"),
        "troubled": _("DNS is not right"),
        "unsigned": _("not signed"),
        "off": _("off"),
        "trash": _("in the trash"),
    }
