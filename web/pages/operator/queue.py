"""Postfix's queue: how old, where to, why not yet; and what may be done about it, to one message or to many.

What cannot be undone is asked about on a page of its own. Without the queue helper the page says how to start it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import queue as admin
from smtpy.admin.outages import Away
from smtpy.admin.refusals import Refusal
from smtpy.queue.client import Helper
from smtpy.queue.protocol import Act, Listing, Request
from web import door
from web.auth import admin_only
from web.i18n import _, _n
from web.pages.operator.frame import pages
from web.toasts import tell
from web.told import told

PAGE = 50
AT_ONCE = 100  # messages of one act: each is a command of Postfix's
QUEUES = ("active", "incoming", "deferred", "hold", "maildrop")
KINDS = {"active": "good", "incoming": "good", "deferred": "warn", "hold": "wait", "maildrop": "off"}


def _helper() -> Helper:
    return Helper(door.settings().queue_listen)


@pages.get("/queue")
@admin_only
def queue() -> ResponseReturnValue:
    """A page of the queue, oldest first."""
    asked = _asked(request.args)
    try:
        found = admin.page(_helper(), asked)
    except Away as away:
        return render_template("operator/queue_away.html", words=told(str(away)))
    older = found.messages[-1].place if len(found.messages) == PAGE else None
    return render_template(
        "operator/queue.html",
        found=found,
        asked=asked,
        ages=_ages(found),
        queues=QUEUES,
        kinds=KINDS,
        moment=_moment,
        words=_words_of(),
        older=url_for("operator.queue", about=asked.about, queue=asked.queue, after=older) if older else None,
    )


def _asked(given: "dict[str, str]") -> Request:
    where = given.get("queue", "")
    return Request(
        Act.LIST,
        queue=where if where in QUEUES else "",  # type: ignore[arg-type]  # it is one of them
        about=given.get("about", "").strip(),
        after=given.get("after", ""),
        limit=PAGE,
    )


def _ages(found: Listing) -> list[tuple[str, list[int]]]:
    labels = (_("5 min"), _("1 h"), _("4 h"), _("12 h"), _("1 day"), _("3 days"), _("older"))
    return [(label, [number]) for label, number in zip(labels, found.ages, strict=True)]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _words_of() -> dict[str, str]:
    return {
        "active": _("Being delivered"),
        "incoming": _("Arriving"),
        "deferred": _("Waiting"),
        "hold": _("On hold"),
        "maildrop": _("Handed in"),
    }


@pages.get("/queue/<name>")
@admin_only
def queue_letter(name: str) -> ResponseReturnValue:
    """Envelope and header of a message, and why it is still here."""
    letter = admin.show(_helper(), name)
    listed = admin.page(_helper(), Request(Act.LIST, about=name, limit=1)).messages
    parts = {
        "sender": _("Sender"),
        "recipient": _("Recipient"),
        "original_recipient": _("Recipient at first"),
        "message_arrival_time": _("Taken"),
    }
    return render_template(
        "operator/queue_letter.html",
        letter=letter,
        listed=listed,
        kinds=KINDS,
        words=_words_of(),
        moment=_moment,
        parts=parts,
    )


@pages.post("/queue")
@admin_only
def queue_act() -> ResponseReturnValue:
    """Hold, release, retry or delete what is chosen, or flush; deleting is asked about first."""
    one, _space, name = request.form.get("one", "").partition(" ")
    what = one or request.form.get("act", "")
    names = [name] if one else request.form.getlist("id")[:AT_ONCE]
    back = _back()
    if what == Act.FLUSH:
        with door.tending() as c:
            admin.act(c, _helper(), Act.FLUSH)
        tell(_("Everything that waits is being tried now."))
        return redirect(back, 303)
    if what not in (Act.HOLD, Act.RELEASE, Act.DELETE, Act.RETRY) or not names:
        tell(_("Choose messages first."), "warn")
        return redirect(back, 303)
    if what == Act.DELETE and not request.form.get("sure"):
        return render_template("operator/queue_delete.html", names=names, back=back)
    _act(Act(what), names)
    return redirect(back, 303)


def _act(what: Act, names: Iterable[str]) -> None:
    """Each by itself: what has left the queue meanwhile keeps nothing from the rest."""
    done, gone = 0, 0
    for name in names:
        try:
            with door.tending() as c:
                admin.act(c, _helper(), what, name)
        except Refusal:
            gone += 1
        else:
            done += 1
    words = {
        Act.HOLD: _n("%(num)s message is on hold.", "%(num)s messages are on hold.", done),
        Act.RELEASE: _n("%(num)s message was released.", "%(num)s messages were released.", done),
        Act.DELETE: _n("%(num)s message was deleted.", "%(num)s messages were deleted.", done),
        Act.RETRY: _n("%(num)s message is being tried.", "%(num)s messages are being tried.", done),
    }
    if done:
        tell(words[what])
    if gone:
        tell(
            _n(
                "%(num)s had left the queue, or was so already.",
                "%(num)s had left the queue, or were so already.",
                gone,
            ),
            "warn",
        )


def _back() -> str:
    return url_for("operator.queue", about=request.form.get("about") or None, queue=request.form.get("queue") or None)
