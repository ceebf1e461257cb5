"""All domains: whose they are, what DNS shows of them, whether their mail is signed. Changing them is their owners'."""

from flask.typing import ResponseReturnValue

from smtpy.admin import estate
from web.auth import admin_only
from web.i18n import _
from web.pages.operator.frame import pages
from web.pages.operator.lists import listed


@pages.get("/domains")
@admin_only
def domains() -> ResponseReturnValue:
    """Domains, in the order in which they came."""
    return listed(
        "operator.domains", estate.page, _states(), about=_("Name or owner"), number=lambda row: int(row.domain.id)
    )


def _states() -> dict[str, str]:
    return {
        "": _("all"),
        "troubled": _("DNS is not right"),
        "unsigned": _("not signed"),
        "off": _("off"),
        "trash": _("in the trash"),
    }
