"""All about one alias, in four tabs: what came, who wrote, the log, and what may be changed."""

import base64
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import segno
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import aliases, figures, mailboxes, messages, scripts, tags
from smtpy.admin.aliases import AliasView
from smtpy.admin.refusals import Refusal
from smtpy.directory.entries import WhenOff
from web import door
from web.auth import signed_in
from web.forms import meanwhile
from web.forms.aliases import AliasSettings, mailbox_choices
from web.forms.refusals import show
from web.i18n import _
from web.pages.aliases import pages
from web.places import place
from web.toasts import tell


def _tabs(alias: AliasView) -> list[tuple[str, str, bool]]:
    rows = (("detail", _("Overview")), ("senders", _("Senders")), ("log", _("Log")), ("settings", _("Settings")))
    known = [(f"aliases.{name}", word) for name, word in rows]
    return [(word, url_for(name, alias=alias.uuid), request.endpoint == name) for name, word in known]


def _page(template: str, alias: AliasView, status: int = 200, **values: Any) -> ResponseReturnValue:
    state = alias.state(door.now())
    return render_template(template, alias=alias, state=state, tabs=_tabs(alias), **values), status


@pages.get("/<uuid:alias>")
@signed_in
def detail(alias: UUID) -> ResponseReturnValue:
    """What came lately, and the facts."""
    with door.reading() as session:
        found = aliases.show(session, str(alias))
        days = figures.days(session, door.now().date(), alias=found.uuid)
    total = figures.total(days)
    alphabets = scripts.mixed(found.address.rpartition("@")[0])
    return _page("aliases/detail.html", found, days=days, total=total, code=_code(found.address), scripts=alphabets)


def _code(address: str) -> str:
    """A QR code that opens a letter to the address, as a data: URI (the policy of our pages lets images be such)."""
    out = io.BytesIO()
    segno.make(f"mailto:{address}", error="m", micro=False).save(out, kind="png", scale=4, border=2)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


@pages.get("/<uuid:alias>/senders")
@signed_in
def senders(alias: UUID) -> ResponseReturnValue:
    """Who writes to it, the latest first."""
    before = _moment(request.args.get("before", ""))
    with door.reading() as session:
        found = aliases.show(session, str(alias))
        rows = figures.senders(session, found.uuid, before=before, limit=figures.SENDERS + 1)
    more = rows[figures.SENDERS - 1].last_at.isoformat() if len(rows) > figures.SENDERS else ""
    return _page("aliases/senders.html", found, senders=rows[: figures.SENDERS], more=more, later=before is not None)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


@pages.get("/<uuid:alias>/log")
@signed_in
def log(alias: UUID) -> ResponseReturnValue:
    """Its messages, the newest first."""
    with door.reading() as session:
        found = aliases.show(session, str(alias))
        page = messages.page(session, alias=found.uuid, before=place("before") or None)
    if "X-Part" in request.headers:
        return render_template("messages/_list.html", page=page, bare=True)
    return _page("aliases/log.html", found, page=page)


@pages.route("/<uuid:alias>/settings", methods=["GET", "POST"])
@signed_in
def settings(alias: UUID) -> ResponseReturnValue:
    """What may be changed."""
    with door.reading() as session:
        found = aliases.show(session, str(alias))
        own, known = mailboxes.page(session), tags.names(session)
    uuids = {each.address: each.uuid for each in own}
    form, now = AliasSettings(), AliasSettings(formdata=None)
    form.mailboxes.choices = now.mailboxes.choices = mailbox_choices(own)
    _fill(now, found, uuids)
    others = meanwhile.fill(form, now)
    if not form.is_submitted():
        _fill(form, found, uuids)
        return _page("aliases/settings.html", found, form=form, tags=known)
    status = 409 if others else 422
    if not others and form.validate():
        try:
            _change(form, found, [uuids[each] for each in found.mailboxes if each in uuids])
        except Refusal as refusal:
            status = show(form, refusal, "mailboxes")
        else:
            tell(_("Saved."))
            return redirect(url_for("aliases.settings", alias=found.uuid), 303)
    return _page("aliases/settings.html", found, status, form=form, tags=known, others=others)


def _fill(form: AliasSettings, alias: AliasView, known: Mapping[str, str]) -> None:
    form.mailboxes.data = [known[address] for address in alias.mailboxes if address in known]
    form.note.data, form.tags.data, form.pinned.data = alias.note, ", ".join(alias.tags), alias.pinned
    form.when_off.data = alias.when_off
    form.expires.data = alias.expires_at.date() if alias.expires_at else None


def _change(form: AliasSettings, alias: AliasView, before: list[str]) -> None:
    chosen = form.mailboxes.data  # those it had keep their order: the page has another
    ordered = [*(each for each in before if each in chosen), *(each for each in chosen if each not in before)]
    kept = alias.expires_at is not None and form.expires.data == alias.expires_at.date()
    with door.change() as c:
        aliases.set_(
            c,
            alias.uuid,
            to=ordered,
            note=form.note.data or "",
            tags=form.words(),
            pinned=form.pinned.data,
            when_off=WhenOff(form.when_off.data),
            expires_at=alias.expires_at if kept else form.expiry(),
        )
