"""What is said in each letter. `_` translates; addresses and links are handed in, and links are of our own making only.

A letter says why it came and what to do if it should not have. What strangers may write (the name of an account) stands
in none that goes to somebody who has no account yet: nobody sends their words through us.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Translate(Protocol):
    """As `_` of web.i18n: `%(name)s` in the text stands for values."""

    def __call__(self, text: str, **values: Any) -> str: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """`before` and `after` are paragraphs; between them a link with its words, if there is one."""

    subject: str
    before: tuple[str, ...]
    link: str = ""
    label: str = ""
    after: tuple[str, ...] = ()


def untranslated(text: str, **values: Any) -> str:
    """English."""
    return text % values if values else text


def _unasked(_: Translate) -> str:
    return _("If you did not ask for this, do nothing: without the link nothing happens.")


def sign_up(_: Translate, link: str, host: str) -> Letter:
    """To an address with which somebody wants an account. Good for 24 hours."""
    return Letter(
        _("Confirm your e-mail address"),
        (_("Somebody, probably you, wants an account with this address at %(host)s.", host=host),),
        *(link, _("Confirm and choose a password"), (_("The link is good for 24 hours, once."), _unasked(_))),
    )


def have_one(_: Translate, link: str, host: str) -> Letter:
    """To an address that has an account already, when it is used to sign up. `link`: the sign-in page."""
    return Letter(
        _("You have an account already"),
        (_("Somebody, probably you, wanted an account with this address at %(host)s. It has one.", host=host),),
        *(link, _("Sign in"), (_("If you have forgotten your password, the sign-in page helps. Else do nothing."),)),
    )


def address(_: Translate, link: str, host: str) -> Letter:
    """To a new address of an account. Good for 24 hours."""
    return Letter(
        _("Confirm your new e-mail address"),
        (_("This address is to be that of an account at %(host)s.", host=host),),
        *(link, _("Confirm the address"), (_("The link is good for 24 hours, once."), _unasked(_))),
    )


def mailbox(_: Translate, link: str, host: str) -> Letter:
    """To a mailbox that somebody wants mail of aliases in. Good for 24 hours."""
    return Letter(
        _("Confirm this mailbox"),
        (_("Somebody, probably you, wants mail to their aliases at %(host)s to be forwarded here.", host=host),),
        *(link, _("Confirm the mailbox"), (_("The link is good for 24 hours, once."), _unasked(_))),
    )


def test(_: Translate, alias: str) -> Letter:
    """To a member's first alias, so that they see it arrive."""
    return Letter(
        _("It works"),
        (
            _("This letter was sent to %(alias)s, and has come to your mailbox from there.", alias=alias),
            _("Whoever has that address does not know this mailbox. If it gets too loud, switch it off."),
        ),
    )


def reset(_: Translate, link: str, host: str) -> Letter:
    """To who has forgotten their password. Good for 30 minutes."""
    return Letter(
        _("Choose another password"),
        (_("Somebody, probably you, has forgotten the password of this account at %(host)s.", host=host),),
        *(link, _("Choose another password"), (_("The link is good for 30 minutes, once."), _unasked(_))),
    )


def invitation(_: Translate, link: str, host: str, by: str) -> Letter:
    """To who is invited; `by` is the address of who invites. Good for 7 days."""
    return Letter(
        _("You are invited"),
        (_("%(by)s invites you to use e-mail aliases at %(host)s.", by=by, host=host),),
        *(link, _("Accept the invitation"), (_("The link is good for 7 days, once."), _unasked(_))),
    )


def new_device(_: Translate, link: str, device: str, network: str) -> Letter:
    """To who has signed in from where they had not before. `link`: their sessions."""
    where = device or _("a browser we do not know")
    return Letter(
        _("A new sign-in to your account"),
        (_("Your account was signed in to with %(device)s, from network %(network)s.", device=where, network=network),),
        *(
            link,
            _("See where you are signed in"),
            (_("If that was not you, end the session and change your password."),),
        ),
    )


# What has changed, as audit rows name it: what the letter says.
CHANGES: dict[str, Callable[[Translate], str]] = {
    "password": lambda _: _("Your password was changed."),
    "email": lambda _: _("The e-mail address of your account was changed. This was its address before."),
    "totp.on": lambda _: _("An authenticator app was added to your account."),
    "totp.off": lambda _: _("The authenticator app was removed from your account."),
    "recovery": lambda _: _("New recovery codes were made. The old ones are worth nothing now."),
    "recovery.used": lambda _: _("A recovery code was used to sign in."),
    "passkey.add": lambda _: _("A passkey was added to your account."),
    "passkey.delete": lambda _: _("A passkey was removed from your account."),
    "key.add": lambda _: _("An API key was made for your account."),
    "mfa.reset": lambda _: _("An administrator removed the second factors of your account."),
}


def changed(_: Translate, link: str, what: str) -> Letter:
    """To whose way of signing in has changed: a key of CHANGES. `link`: their security page."""
    return Letter(
        _("The security of your account has changed"),
        (CHANGES[what](_),),
        *(link, _("See what has changed"), (_("If that was not you, change your password now and end all sessions."),)),
    )
