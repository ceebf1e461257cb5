"""What would become of a message, and why: `smtpy explain` as a page. Nothing is sent, nothing recorded.

A member is told all about what leads to their own mailboxes, and of the rest what any sender would hear.
"""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from smtpy.admin import belongings, domains
from smtpy.explain import Answer, Asked, Explained, explain
from web import checking, door
from web.auth import signed_in
from web.forms.explain import Ask
from web.limits import limiter

pages = Blueprint("explain", __name__)
SECONDS = 5.0  # that DNS may take, all verdicts together


@pages.route("/explain", methods=["GET", "POST"])
@signed_in
@limiter.limit("20/minute", methods=["POST"])
def ask() -> ResponseReturnValue:
    """The question, and below it the answer."""
    form, found, status = Ask(), None, 200
    if form.validate_on_submit():
        found = _explained(form)
    elif form.is_submitted():
        status = 422
    else:
        form.recipients.data = request.args.get("to", "")[:320]
    with door.reading() as session:
        own = [each.name for each in domains.page(session, limit=1)]
    return render_template("explain/ask.html", form=form, found=found, own=own), status


def _explained(form: Ask) -> Explained:
    asked = Asked(
        form.octets(),
        form.sender.data or "",
        form.paths(),
        (form.client.data or "").strip(),
        (form.helo.data or "").strip(),
    )
    dns = checking.checks().within(SECONDS)
    with door.reading() as session:

        def may_see(said: Answer) -> bool:
            mailboxes = () if said.resolution == "return" else said.goes_to
            return belongings.is_own(session, said.address, said.alias_id, mailboxes)

        return explain(asked, door.directory(), door.settings(), lambda: dns, may_see)
