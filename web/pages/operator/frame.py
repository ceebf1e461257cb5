"""What all pages of administrators share: the blueprint, the tabs, and words in backticks shown as code."""

import re
from typing import Any

from flask import Blueprint, request, url_for
from markupsafe import Markup, escape

from web.i18n import N_, _

pages = Blueprint("operator", __name__, url_prefix="/admin")

# endpoint of the first page of a subject, its module, and its name
TABS = (
    ("operator.health", N_("Health")),
    ("operator.users", N_("Users")),
    ("operator.domains", N_("Domains")),
    ("operator.queue", N_("Queue")),
    ("operator.audit", N_("Audit trail")),
    ("operator.announcements", N_("Announcements")),
    ("operator.settings", N_("Settings")),
)
_TICKS = re.compile(r"`([^`]+)`")


def tabs() -> list[tuple[str, str, bool]]:
    """Label, link, and whether the reader is there; `queue_letter` is below `queue`, invitations below users."""
    here = (request.endpoint or "").split("_")[0].replace("invitations", "users")
    return [(_(label), url_for(endpoint), here == endpoint) for endpoint, label in TABS]


@pages.app_template_filter("ticks")
def ticks(text: str) -> Markup:
    """Words that were written for a terminal: what stands in backticks is code."""
    return Markup(_TICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


@pages.context_processor
def shared() -> dict[str, Any]:
    """For operator/frame.html."""
    return {"tabs": tabs}
