"""What all pages of a domain share: the blueprint, the tabs, and words for the states of domains and records."""

from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for

from smtpy.admin.domains import DomainView
from web.i18n import N_, _

pages = Blueprint("domains", __name__, url_prefix="/domains")

# endpoint and name; what belongs to a tab has an endpoint that begins like it
TABS = (
    ("domains.detail", N_("DNS")),
    ("domains.rules", N_("Automatic aliases")),
    ("domains.keys", N_("Signing keys")),
    ("domains.settings", N_("Settings")),
)
# of a record: word and kind (ui.state)
STATES = {
    "ok": (N_("Right"), "good"),
    "warning": (N_("Works, not ideal"), "warn"),
    "unknown": (N_("No answer"), "wait"),
    "unchecked": (N_("Not checked yet"), "off"),
    "missing": (N_("Missing"), "bad"),
    "wrong": (N_("Wrong"), "bad"),
}
# of a record: what it is called
KINDS = {
    "ownership": N_("Proof that the domain is yours"),
    "mx": N_("Where its mail goes"),
    "spf": N_("Who may send for it"),
    "dkim": N_("Signing key"),
    "dmarc": N_("What to do with forgeries"),
    "mta-sts": N_("Encrypted delivery"),
    "tls-rpt": N_("Reports about encryption"),
}


def state_of(status: str, *, required: bool = True) -> tuple[str, str]:
    """Word and kind; what is only recommended is never bad."""
    word, kind = STATES[status]
    return _(word), "off" if kind == "bad" and not required else kind


def state_of_domain(domain: DomainView, status: str) -> tuple[str, str]:
    """The one word for a domain in a list."""
    if domain.deleted_at is not None:
        return _("In the trash"), "off"
    if domain.proven_at is None:
        return _("Waits for its DNS"), "wait"
    if not domain.enabled:
        return _("Switched off"), "off"
    if status in ("missing", "wrong"):
        return _("DNS needs care"), "bad"
    return (_("DNS not checked yet"), "off") if status == "unchecked" else (_("Works"), "good")


@pages.context_processor
def shared() -> dict[str, Any]:
    """For templates of domains."""
    return words() | {"domain_tabs": tabs}


def words() -> dict[str, Any]:
    """What templates need to show records and states, here and in the first hour."""
    return {"state_of": state_of, "state_of_domain": state_of_domain, "kind_words": {k: _(v) for k, v in KINDS.items()}}


def tabs(domain: UUID | str) -> list[tuple[str, str, bool]]:
    """Label, link, and whether the reader is there."""
    here = (request.endpoint or "").partition("_")[0]
    return [(_(label), url_for(endpoint, domain=domain), here == endpoint) for endpoint, label in TABS]
