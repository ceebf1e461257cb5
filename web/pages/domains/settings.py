"""What an owner chooses of a domain; its switch, and the trash."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import domains
from smtpy.admin.domains import DomainView
from smtpy.admin.refusals import Refusal
from web import door
from web.auth import signed_in, sudo
from web.forms import domains as forms
from web.forms import meanwhile, refusals
from web.i18n import _
from web.pages.domains.frame import pages
from web.pages.domains.names import own_mailboxes
from web.toasts import tell

MEGABYTE = 1_000_000


@pages.route("/<uuid:domain>/settings", methods=["GET", "POST"])
@signed_in
def settings(domain: UUID) -> ResponseReturnValue:
    """In plain words."""
    view = _living(domain)
    form, status = _form(view), 200
    if others := meanwhile.fill(form, _form(view, formdata=None)):
        status = 409
    elif form.validate_on_submit():
        try:
            with door.change() as c:
                domains.set_(c, view.uuid, **_choices(form))
        except Refusal as refusal:
            status = refusals.show(form, refusal, "role_mailbox")
        else:
            tell(_("Saved."))
            return redirect(url_for("domains.settings", domain=domain), 303)
    elif form.is_submitted():
        status = 422
    return _page(view, form, forms.Trash(formdata=None), others), status


def _page(view: DomainView, form: forms.Settings, trash: forms.Trash, others: Sequence[tuple[str, str]] = ()) -> str:
    days = door.settings().trash_days
    return render_template("domains/settings.html", domain=view, form=form, trash=trash, others=others, days=days)


def _living(domain: UUID) -> DomainView:
    """Raises NotFound, InTrash."""
    with door.reading() as session:
        return domains.view(session, domains.DOMAINS.living(session, str(domain)))


def _form(view: DomainView, **how: Any) -> forms.Settings:
    """As the domain is; `formdata=None`: whatever was sent."""
    boxes = own_mailboxes()
    now = {name: getattr(view, name) for name in ("when_off", "on_reject", "on_quarantine")}
    limit = view.max_message_bytes and max(view.max_message_bytes // MEGABYTE, 1)
    role = next((uuid for uuid, address in boxes if address == view.role_mailbox), "")
    form = forms.Settings(
        data={
            **now,
            "role_mailbox": role,
            "extension_separator": view.extension_separator or "",
            "max_megabytes": limit,
        },
        **how,
    )
    form.role_mailbox.choices = forms.chosen([("", _("the operator of this service")), *boxes])
    return form


def _choices(form: forms.Settings) -> Any:
    return {
        "role_mailbox": form.role_mailbox.data or None,
        "extension_separator": form.extension_separator.data or None,
        "max_message_bytes": form.max_megabytes.data and form.max_megabytes.data * MEGABYTE,
        **{name: getattr(form, name).data for name in ("when_off", "on_reject", "on_quarantine")},
    }


@pages.post("/<uuid:domain>/switch")
@signed_in
def settings_switch(domain: UUID) -> ResponseReturnValue:
    """On or off, with a way back."""
    turn = request.form.get("to", "off")
    with door.change() as c:
        view = (domains.on if turn == "on" else domains.off)(c, str(domain))
    other = "off" if turn == "on" else "on"
    words = _("%(name)s is on.", name=view.name) if view.enabled else _("%(name)s is off.", name=view.name)
    tell(words, undo=url_for("domains.settings_switch", domain=domain), to=other)
    return redirect(url_for("domains.settings", domain=domain), 303)


@pages.post("/<uuid:domain>/trash")
@sudo
def settings_trash(domain: UUID) -> ResponseReturnValue:
    """Put it into the trash, once its name was typed."""
    view = _living(domain)
    form = forms.Trash()
    if form.validate_on_submit() and form.name.data.strip().lower() == view.name:
        with door.change() as c:
            domains.delete(c, view.uuid)
        tell(_("%(name)s is in the trash.", name=view.name), undo=url_for("domains.restore", domain=domain))
        return redirect(url_for("domains.listing"), 303)
    if not form.name.errors:
        form.name.errors = [_("That is not the name of this domain.")]
    shown = _form(view, formdata=None)
    meanwhile.fill(shown, shown)
    return _page(view, shown, form), 422


@pages.post("/<uuid:domain>/restore")
@signed_in
def restore(domain: UUID) -> ResponseReturnValue:
    """Out of the trash."""
    with door.change() as c:
        view = domains.restore(c, str(domain))
    tell(_("%(name)s is back.", name=view.name))
    return redirect(url_for("domains.detail", domain=domain), 303)
