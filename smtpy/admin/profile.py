"""What members say of themselves: their name, the language and the look of their pages."""

from dataclasses import dataclass

from smtpy.admin import read
from smtpy.admin.change import Change
from smtpy.admin.refusals import NotFound
from smtpy.store.schema import Theme, User

__all__ = ["Profile", "Theme", "set_"]


@dataclass(frozen=True, slots=True)
class Profile:
    """`language`: a code, or "" for the browser's choice."""

    name: str
    language: str
    theme: str


def set_(c: Change, user_id: int, *, name: str, language: str, theme: Theme) -> Profile:
    """Change all three. Raises Invalid, NotFound."""
    user = c.session.get(User, user_id)
    if user is None:
        raise NotFound("user", "There is no such user.")
    before = Profile(user.name, user.language, user.theme.value)
    user.name, user.language, user.theme = read.name(name), language, theme
    return c.record("user.set", f"user {user.email}", before, Profile(user.name, user.language, user.theme.value))
