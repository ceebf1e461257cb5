"""The list of aliases, searched and filtered, and the trash. All of what is asked stands in the URL."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import alias_lists, domains, mailboxes, tags
from smtpy.admin.alias_lists import Sort, State, Wanted
from web import door
from web.auth import signed_in
from web.i18n import N_, _
from web.limits import searching
from web.pages.aliases import pages

STATES = ((State.ANY, N_("All")), (State.ON, N_("On")), (State.OFF, N_("Off")), (State.EXPIRED, N_("Expired")))
SORTS = ((Sort.NEWEST, N_("Newest first")), (Sort.USED, N_("Last used first")), (Sort.NAME, N_("By name")))
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that a click sets or takes away."""

    label: str
    href: str
    on: bool
    icon: str = ""


def asked() -> Wanted:
    """What the URL asks for; what it does not know is any."""
    given = request.args
    return Wanted(
        text=given.get("q", "").strip(),
        tag=given.get("tag", ""),
        domain=given.get("domain", ""),
        mailbox=given.get("mailbox", ""),
        state=_one_of(State, given.get("state", "")),
        unused=given.get("unused") == "1",
        pinned=given.get("pinned") == "1",
        sort=_one_of(Sort, given.get("sort", "")),
    )


def _one_of(kind: type[E], text: str) -> E:
    """A member of an enumeration, or its first."""
    members = list(kind)
    return kind(text) if text in members else members[0]


def _with(**changed: str) -> str:
    """This list with another filter, from its first page."""
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name not in ("after", *changed)}
    kept |= {name: value for name, value in changed.items() if value}
    return url_for("aliases.listing", **kept)


def chips(wanted: Wanted, known: tuple[str, ...]) -> list[Chip]:
    """The filters: one state of four, then what may be added, then tags."""
    found = [Chip(_(words), _with(state=str(state)), wanted.state is state) for state, words in STATES]
    found.append(Chip(_("Never used"), _with(unused="" if wanted.unused else "1"), wanted.unused))
    found.append(Chip(_("Pinned"), _with(pinned="" if wanted.pinned else "1"), wanted.pinned, "pin"))
    for tag in known:
        on = tag == wanted.tag
        found.append(Chip(tag, _with(tag="" if on else tag), on, "tag"))
    return found


@pages.get("")
@signed_in
@searching
def listing() -> ResponseReturnValue:
    """The list. Eight statements at most, however many aliases there are."""
    wanted = asked()
    wanted = Wanted() if wanted.state is State.TRASH else wanted
    with door.reading() as session:
        page = alias_lists.page(session, wanted, door.now(), after=request.args.get("after", ""))
        known = tags.names(session)
        own_domains = domains.page(session)
        own_mailboxes = mailboxes.page(session)
    return render_template(
        "aliases/listing.html",
        page=page,
        wanted=wanted,
        chips=chips(wanted, known),
        tags=known,
        domains=own_domains,
        mailboxes=own_mailboxes,
        sorts=[(str(sort), _(words)) for sort, words in SORTS],
        filtered=wanted != Wanted(sort=wanted.sort),
        next_page=_with(after=page.next),
        first_page=_with() if request.args.get("after") else None,
    )


@pages.get("/trash")
@signed_in
def trash() -> ResponseReturnValue:
    """What was thrown away: it keeps its address, and everything else."""
    with door.reading() as session:
        wanted = Wanted(state=State.TRASH)
        page = alias_lists.page(session, wanted, door.now(), after=request.args.get("after", ""))
    return render_template("aliases/trash.html", page=page, days=door.settings().trash_days)
