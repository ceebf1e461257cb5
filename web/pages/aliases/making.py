"""A new alias: by the whole form, by one line of the dashboard, by what another application shares.

`/aliases/new?url=…&title=…&note=…` fills the form in, and changes nothing.
"""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from smtpy.admin import aliases, domains, mailboxes, names, tags
from smtpy.admin.aliases import AliasView
from smtpy.admin.refusals import AlreadyThere, Invalid, Refusal
from web import door
from web.auth import signed_in
from web.forms.aliases import NewAlias, mailbox_choices
from web.forms.refusals import show
from web.i18n import _
from web.limits import making
from web.pages.aliases import pages
from web.toasts import tell

TRIES = 5  # for a name that is free
FIELDS = {"address": "own", "domain": "domain", "mailbox": "mailboxes", "expires_at": "expires"}


@pages.route("/new", methods=["GET", "POST"])
@signed_in
@making
def new() -> ResponseReturnValue:
    """A new alias."""
    form = _form()
    status = 200
    if form.is_submitted() and form.validate():
        try:
            made = _made(form)
        except Refusal as refusal:
            field = FIELDS.get(refusal.field, refusal.field)
            at = form.kind.data if field == "own" and form.kind.data == "site" else field
            status = show(form, type(refusal)(at, refusal.message), "own")
        else:
            tell(_("%(address)s is yours.", address=made.address))
            return redirect(url_for("aliases.detail", alias=made.uuid, new=1), 303)
    elif form.is_submitted():
        status = 422
    form.suggest()
    with door.reading() as session:
        known = tags.names(session)
    return render_template("aliases/new.html", form=form, tags=known), status


def _form() -> NewAlias:
    """The form, with what there is to choose from, and what was shared."""
    form = NewAlias()
    with door.reading() as session:
        own_domains, own_mailboxes = domains.page(session), mailboxes.page(session)
    form.domain.choices = [SelectChoice(each.name, each.name) for each in own_domains if each.enabled]
    ordered = sorted(own_mailboxes, key=lambda each: (not each.preferred, each.verified_at is None, each.id))
    form.mailboxes.choices = mailbox_choices(ordered)
    if form.is_submitted():
        if not form.mailboxes.data:
            form.mailboxes.data = _usual(form)
        _from_one_line(form)
        return form
    form.mailboxes.data = _usual(form)
    form.domain.data = request.args.get("domain") or form.domain.data
    form.note.data = request.args.get("note") or request.args.get("title") or ""
    shared = request.args.get("url") or request.args.get("text") or ""
    site = next((word for word in shared.split() if names.site_name(word) and "." in word), "")
    if site:
        form.site.data, form.kind.data = site, "site"
    return form


def _usual(form: NewAlias) -> list[str]:
    """The mailbox that is ticked unless somebody chooses: the preferred one, which is the first."""
    return [form.mailboxes.choices[0].value] if form.mailboxes.choices else []


def _from_one_line(form: NewAlias) -> None:
    """The dashboard asks one thing, `for`: a website, or a note."""
    said = request.form.get("for", "").strip()
    if not said:
        return
    form.kind.data = "words"
    if "." in said and " " not in said and names.site_name(said):
        form.kind.data, form.site.data = "site", said
    form.note.data = form.note.data or said[:1000]


def _made(form: NewAlias) -> AliasView:
    """Have it made; a random name that is taken is made anew. Raises a Refusal."""
    for tried in range(TRIES):
        local = form.local()
        if not local:
            asked = _("Name the website.") if form.kind.data == "site" else _("Say what it is to be called.")
            raise Invalid("address", asked)
        try:
            with door.change() as c:
                return aliases.add(
                    c,
                    f"{local}@{form.domain.data}",
                    to=form.mailboxes.data,
                    note=form.note.data or "",
                    tags=form.words(),
                    expires_at=form.expiry(),
                )
        except AlreadyThere:
            if form.kind.data == "own" or tried == TRIES - 1:
                raise
            for field in (form.words_name, form.characters_name, form.uuid_name):
                field.data = None
    raise AssertionError("the last try returns or raises")
