"""Passkeys (WebAuthn level 3): keys that a device holds and that open no other site, by its screen lock or fingerprint.

The challenge is kept by the caller, on the server, for one use. User verification is asked for and insisted on, so a
passkey is two factors in one. Attestation is not asked for: any device is good. A counter that goes back shows a copy,
which is refused (section 7.2, step 22).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from smtpy.admin import read
from smtpy.admin.change import Change
from smtpy.admin.refusals import AlreadyThere, Invalid, NotFound
from smtpy.admin.scope import owned
from smtpy.admin.sessions import Member, member_of
from smtpy.store.accounts import MAX_CODE_NAME, Passkey
from smtpy.store.schema import User

MOST = 20  # of one user
REFUSED = Invalid("passkey", "That passkey was not accepted. Try again, or sign in with your password.")


@dataclass(frozen=True, slots=True)
class Site:
    """Whose passkeys they are: the host of `origin`, by which browsers tell sites apart."""

    host: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey in its owner's list."""

    uuid: str
    name: str
    created_at: datetime
    used_at: datetime | None


def to_add(session: Session, member: Member, site: Site) -> tuple[str, bytes]:
    """What a browser needs to make one, as JSON, and the challenge to keep."""
    known = session.scalars(select(Passkey.credential).where(Passkey.user_id == member.id))
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=member.uuid.encode(),
        user_name=member.email,
        user_display_name=member.name or member.email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return options_to_json(options), options.challenge


def add(c: Change, member: Member, answer: str, challenge: bytes, site: Site, name: str) -> PasskeyView:
    """Keep the passkey that a browser has made. Raises Invalid, AlreadyThere."""
    name = read.line("name", name.strip(), MAX_CODE_NAME) or "Passkey"
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        raise REFUSED from None
    if c.session.scalar(select(Passkey.id).where(Passkey.credential == made.credential_id)) is not None:
        raise AlreadyThere("passkey", "That passkey is there already. Choose another one.")
    if len(of_member(c.session, member.id)) >= MOST:
        raise Invalid("passkey", f"You can have {MOST} passkeys. Remove one that you do not use.")
    row = Passkey(user_id=member.id, credential=made.credential_id, public=made.credential_public_key)
    row.sign_count, row.name, row.created_at = made.sign_count, name, c.now
    c.session.add(row)
    c.session.flush()
    c.note("passkey.add", f"user {member.email}", None, {"name": name})
    return _view(row)


def to_sign_in(site: Site) -> tuple[str, bytes]:
    """What a browser needs to offer the passkeys it has for us, as JSON, and the challenge to keep."""
    options = generate_authentication_options(rp_id=site.host, user_verification=UserVerificationRequirement.REQUIRED)
    return options_to_json(options), options.challenge


def accept(c: Change, answer: str, challenge: bytes, site: Site) -> Member:
    """Whom a passkey lets in. Raises Invalid, for every reason alike."""
    found = _asked_for(c.session, answer)
    if found is None:
        raise REFUSED
    row, user = found
    try:
        shown = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=row.public,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        raise REFUSED from None
    moved = update(Passkey).where(Passkey.id == row.id, Passkey.sign_count == row.sign_count)
    values: dict[str, Any] = {"sign_count": shown.new_sign_count, "used_at": c.now}
    if c.session.scalar(moved.values(**values).returning(Passkey.id)) is None:
        raise REFUSED
    return member_of(user)


def _asked_for(session: Session, answer: str) -> tuple[Passkey, User] | None:
    try:
        credential = parse_authentication_credential_json(answer)
    except (WebAuthnException, ValueError):
        return None
    chosen = select(Passkey, User).join(User, User.id == Passkey.user_id)
    alive = (Passkey.credential == credential.raw_id, User.enabled, User.deleted_at.is_(None))
    found = session.execute(chosen.where(*alive)).first()
    if found is None:
        return None
    row, user = found
    handle = credential.response.user_handle
    return (row, user) if handle in (None, user.uuid.encode()) else None


def of_member(session: Session, user_id: int) -> tuple[PasskeyView, ...]:
    """A user's, the oldest first."""
    return tuple(map(_view, session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))))


def _view(row: Passkey) -> PasskeyView:
    return PasskeyView(row.uuid, row.name, row.created_at, row.used_at)


def find(session: Session, uuid: str) -> PasskeyView:
    """One of the viewer's. Raises NotFound."""
    return _view(_find(session, uuid))


def _find(session: Session, uuid: str) -> Passkey:
    row = session.scalar(select(Passkey).where(Passkey.uuid == uuid, owned(session, Passkey.user_id)))
    if row is None:
        raise NotFound("passkey", "There is no such passkey. It may have been removed.")
    return row


def rename(c: Change, uuid: str, name: str) -> PasskeyView:
    """Another name. Raises NotFound, Invalid."""
    row = _find(c.session, uuid)
    before = _view(row)
    row.name = read.line("name", name.strip(), MAX_CODE_NAME) or before.name
    return c.record("passkey.set", f"passkey {uuid}", before, _view(row))


def delete(c: Change, uuid: str) -> PasskeyView:
    """Remove one. Raises NotFound."""
    row = _find(c.session, uuid)
    before = _view(row)
    c.session.delete(row)
    c.removed("passkey.delete", f"passkey {uuid}", before)
    return before
