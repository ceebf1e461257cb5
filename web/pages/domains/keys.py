"""Signing keys of a domain: which there are, a new pair, its use, and the end of an old one. Each with what follows."""

from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import domains
from smtpy.admin import keys as admin_keys
from web import door
from web.auth import signed_in, sudo
from web.forms.domains import Sure
from web.i18n import _
from web.pages.domains.frame import pages
from web.toasts import tell


@pages.get("/<uuid:domain>/keys")
@signed_in
def keys(domain: UUID) -> ResponseReturnValue:
    """All of them, the newest first."""
    return _page(domain, Sure(formdata=None))


def _page(domain: UUID, form: Sure) -> str:
    with door.reading() as session:
        domains.DOMAINS.living(session, str(domain))
        view = domains.show(session, str(domain))
        found = admin_keys.of_domain(session, view.uuid)
    retire_days = door.settings().key_retire_days
    return render_template("domains/keys.html", domain=view, keys=found, form=form, retire_days=retire_days)


@pages.post("/<uuid:domain>/keys/rotate")
@sudo
def keys_rotate(domain: UUID) -> ResponseReturnValue:
    """A new pair, to be published."""
    with door.change() as c:
        admin_keys.rotate(c, str(domain))
    tell(_("A new pair of keys waits. Publish both records; it takes over once a check has seen them."))
    return redirect(url_for("domains.detail", domain=domain), 303)


@pages.post("/<uuid:domain>/keys/use")
@sudo
def keys_use(domain: UUID) -> ResponseReturnValue:
    """Sign with the pair that waits, seen or not."""
    form = Sure()
    if not form.validate_on_submit():
        return _page(domain, form), 422
    with door.change() as c:
        admin_keys.use(c, str(domain))
    tell(_("The new keys sign from now on."))
    return redirect(url_for("domains.keys", domain=domain), 303)


@pages.post("/<uuid:domain>/keys/<uuid:key>/retire")
@sudo
def keys_retire(domain: UUID, key: UUID) -> ResponseReturnValue:
    """Sign with it no more."""
    with door.change() as c:
        view = domains.show(c.session, str(domain))
        selector = admin_keys.selector_of(c.session, view.uuid, str(key))
        admin_keys.retire(c, view.uuid, selector)
    tell(_("%(selector)s signs no more. Leave its record for mail that is still on its way.", selector=selector))
    return redirect(url_for("domains.keys", domain=domain), 303)
