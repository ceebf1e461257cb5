"""What is done to aliases from a list or a page: one or many, and taken back for as long as the toast offers it.

How to take each of the last acts back is kept in the session under a token of its own, so that a form that is sent
twice, late, or from another tab undoes what it was shown for, and nothing else: not what was done to the same alias
since.
"""

import secrets
from collections.abc import Iterator, Sequence
from uuid import UUID

from flask import Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import alias_bulk, aliases
from smtpy.admin.alias_bulk import Result
from smtpy.admin.change import Change
from smtpy.admin.refusals import Refusal
from web import door, sheets
from web.auth import safe_next, signed_in
from web.i18n import N_, _, _n
from web.limits import exporting
from web.pages.aliases import pages
from web.toasts import tell
from web.told import told

UNDO = "aliases.undos"  # in the session: what takes acts back, by token
UNDOS = 5  # acts; more tabs than that have no toast to be clicked at once
BACK = {"on": "off", "off": "on", "trash": "restore", "restore": "trash", "pin": "unpin", "unpin": "pin"}
EXPORT = "export"
Step = tuple[str, list[str], list[str], list[str]]  # act, aliases, words; the mailboxes that it takes back


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
    """What takes it back: of tags those that came or went, so that others stay as they are by then."""
    if act in BACK:
        return [(BACK[act], [each.name for each in done], [], [])]
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for each in done:
        for way in _ways(act, each):
            groups.setdefault(way, []).append(each.name)
    return [(back, names, list(words), list(now)) for (back, words, now), names in groups.items()]


def _ways(act: str, done: Result) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """The steps back for one alias, but for its name."""
    before, after = done.before, done.after
    if before is None or after is None:
        return
    if act == "mailboxes":
        yield act, before.mailboxes, after.mailboxes
    for back, some, others in (("untag", after.tags, before.tags), ("tag", before.tags, after.tags)):
        if words := tuple(tag for tag in some if tag not in others):
            yield back, words, ()


def _offer(words: str, back: list[Step]) -> None:
    """Say it, with a way back."""
    token = secrets.token_urlsafe(8)
    kept = list(session.get(UNDO, {}).items())[1 - UNDOS :]
    session[UNDO] = dict([*kept, (token, back)])
    tell(words, undo=url_for("aliases.undo"), token=token, next=_there())


@pages.post("/undo")
@signed_in
def undo() -> ResponseReturnValue:
    """Take back the act that the token is of."""
    kept = dict(session.get(UNDO, {}))
    steps: list[Step] | None = kept.pop(request.form.get("token", ""), None)
    if steps is None:
        tell(_("That cannot be undone any more; change it by hand."), "bad")
        return redirect(_there(), 303)
    session[UNDO] = kept
    with door.change() as c:
        results = [each for step in steps for each in _undone(c, *step)]
    for each in [each for each in results if each.refused][:3]:
        tell(told(each.refused), "bad")
    if any(each.changed for each in results):
        tell(_("Undone."))
    return redirect(_there(), 303)


def _undone(c: Change, act: str, names: list[str], words: list[str], now: list[str]) -> Sequence[Result]:
    """Take a step; not where the mailboxes it would take back are others by now."""
    if now:
        names = [name for name in names if list(aliases.show(c.session, name).mailboxes) == now]
        if not names:
            return [Result("", refused=N_("That cannot be undone any more; change it by hand."))]
    return alias_bulk.each(c, act, names, words)


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
