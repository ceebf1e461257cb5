"""What is done to aliases from a list or a page: one or many, and taken back for as long as the toast offers it.

How to take the last act back is kept in the session under a token, so that a form that is sent twice, or late, undoes
nothing else.
"""

import secrets
from collections.abc import Sequence
from uuid import UUID

from flask import Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import alias_bulk, aliases
from smtpy.admin.alias_bulk import Result
from smtpy.admin.refusals import Refusal
from web import door, sheets
from web.auth import safe_next, signed_in
from web.i18n import _, _n
from web.limits import exporting
from web.pages.aliases import pages
from web.toasts import tell
from web.told import told

UNDO = "aliases.undo"  # in the session
BACK = {"on": "off", "off": "on", "trash": "restore", "restore": "trash", "pin": "unpin", "unpin": "pin"}
EXPORT = "export"
Step = tuple[str, list[str], list[str]]  # act, aliases, words


def _there() -> str:
    """Where the reader was."""
    found = safe_next(request.form.get("next", ""))
    return found if found != "/" else url_for("aliases.listing")


@pages.post("/many")
@signed_in
@exporting
def many() -> ResponseReturnValue:
    """One act on all that are ticked."""
    act, names = request.form.get("act", ""), request.form.getlist("alias")
    if act == EXPORT:
        return _exported(names)
    words = [word for field in ("words", "mailbox") for word in request.form.getlist(field) if word]
    if act in ("tag", "untag"):
        words = [word for text in request.form.getlist("tag") for word in text.split(",") if word.strip()]
    if act in ("tag", "untag", "mailboxes") and not words:
        tell(_("Say which tag or mailbox, then try again."), "bad")
        return redirect(_there(), 303)
    try:
        with door.change() as c:
            results = alias_bulk.each(c, act, names, words)
    except Refusal as refusal:
        tell(told(refusal.message), "bad")
        return redirect(_there(), 303)
    _tell(act, results)
    return redirect(_there(), 303)


def _tell(act: str, results: Sequence[Result]) -> None:
    """What became of them: how many were done, and why the others were not."""
    done = [each for each in results if each.changed]
    if done:
        _offer(_said(act, len(done)), _back(act, done))
    refused = [each for each in results if each.refused]
    for each in refused[:3]:
        tell(told(each.refused), "bad")
    if len(refused) > len(refused[:3]):
        left = len(refused) - 3
        tell(_n("%(num)s more was not changed.", "%(num)s more were not changed.", left), "bad")
    if not done and not refused:
        tell(_("They were so already."))


def _said(act: str, number: int) -> str:
    """What was done, in words."""
    match act:
        case "on":
            return _n("%(num)s alias switched on.", "%(num)s aliases switched on.", number)
        case "off":
            return _n("%(num)s alias switched off.", "%(num)s aliases switched off.", number)
        case "trash":
            return _n("%(num)s alias moved to the trash.", "%(num)s aliases moved to the trash.", number)
        case "restore":
            return _n("%(num)s alias restored.", "%(num)s aliases restored.", number)
        case _:
            return _n("%(num)s alias changed.", "%(num)s aliases changed.", number)


def _back(act: str, done: Sequence[Result]) -> list[Step]:
    """What takes it back."""
    if act in BACK:
        return [(BACK[act], [each.name for each in done], [])]
    field = "mailboxes" if act == "mailboxes" else "tags"
    groups: dict[tuple[str, ...], list[str]] = {}
    for each in done:
        groups.setdefault(getattr(each.before, field), []).append(each.name)
    return [(field, names, list(words)) for words, names in groups.items()]


def _offer(words: str, back: list[Step]) -> None:
    """Say it, with a way back."""
    token = secrets.token_urlsafe(8)
    session[UNDO] = {"token": token, "steps": back}
    tell(words, undo=url_for("aliases.undo"), token=token, next=_there())


@pages.post("/undo")
@signed_in
def undo() -> ResponseReturnValue:
    """Take the last act back."""
    kept = session.get(UNDO) or {}
    if not kept or not secrets.compare_digest(kept["token"].encode(), request.form.get("token", "").encode()):
        tell(_("That cannot be undone any more; change it by hand."), "bad")
        return redirect(_there(), 303)
    session.pop(UNDO)
    with door.change() as c:
        results = [each for act, names, words in kept["steps"] for each in alias_bulk.each(c, act, names, words)]
    for each in [each for each in results if each.refused][:3]:
        tell(told(each.refused), "bad")
    if any(each.changed for each in results):
        tell(_("Undone."))
    return redirect(_there(), 303)


def _alone(act: str, alias: UUID) -> ResponseReturnValue:
    """The act on one alias. Raises a Refusal."""
    with door.change() as c:
        aliases.show(c.session, str(alias))  # what is not there is an answer of its own
        results = alias_bulk.each(c, act, [str(alias)])
    _tell(act, results)
    return redirect(_there(), 303)


@pages.post("/<uuid:alias>/switch")
@signed_in
def switch(alias: UUID) -> ResponseReturnValue:
    """On or off."""
    return _alone("on" if request.form.get("on") == "1" else "off", alias)


@pages.post("/<uuid:alias>/pin")
@signed_in
def pin(alias: UUID) -> ResponseReturnValue:
    """Before the others, or among them."""
    return _alone("pin" if request.form.get("on") == "1" else "unpin", alias)


@pages.post("/<uuid:alias>/trash")
@signed_in
def throw_away(alias: UUID) -> ResponseReturnValue:
    """Into the trash, which keeps everything."""
    return _alone("trash", alias)


@pages.post("/<uuid:alias>/restore")
@signed_in
def restore(alias: UUID) -> ResponseReturnValue:
    """Out of the trash."""
    return _alone("restore", alias)


def _exported(names: Sequence[str]) -> ResponseReturnValue:
    """Those that are ticked, as CSV."""
    with door.reading() as reading:
        found = [aliases.show(reading, name) for name in dict.fromkeys(names[: alias_bulk.MOST])]
    columns = ("address", "note", "tags", "mailboxes", "enabled", "expires_at", "last_at", "created_at")
    text = sheets.written(columns, ([getattr(each, name) for name in columns] for each in found))
    told = {"Content-Disposition": 'attachment; filename="aliases.csv"'}
    return Response(text, mimetype="text/csv", headers=told)
