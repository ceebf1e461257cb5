"""A refusal of smtpy.admin at the field it is about, in the form that was sent."""

from http import HTTPStatus

from smtpy.admin.refusals import NotFound, Refusal
from web.forms import Form
from web.told import told


def show(form: Form, refusal: Refusal, field: str) -> int:
    """Put it at its field, or at `field` if the form has none of that name; the status to answer with.

    What does not exist is no matter of a form: it is raised again.
    """
    if isinstance(refusal, NotFound):
        raise refusal
    at = form[refusal.field] if refusal.field in form else form[field]
    at.errors = [told(refusal.message)]
    return HTTPStatus.UNPROCESSABLE_ENTITY
