"""What administrators choose while the service runs, each with a default: a row where they chose otherwise."""

from enum import StrEnum

from sqlalchemy.orm import Session

from smtpy.admin.change import Change
from smtpy.store.accounts import Choice


class SignUp(StrEnum):
    """Who may make an account: nobody, those who are invited, everybody who shows that an address is theirs."""

    CLOSED = "closed"
    INVITATION = "invitation"
    OPEN = "open"


SIGN_UP = "sign_up"


def sign_up(session: Session) -> SignUp:
    """Who may make an account."""
    found = session.get(Choice, SIGN_UP)
    return SignUp(str(found.value)) if found else SignUp.INVITATION


def set_sign_up(c: Change, mode: SignUp) -> None:
    """Have other people make accounts, or none."""
    before = sign_up(c.session)
    if mode is not before:
        c.session.merge(Choice(name=SIGN_UP, value=mode.value))
        c.note("choice.set", SIGN_UP, {"value": before.value}, {"value": mode.value})
