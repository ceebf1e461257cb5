"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and ten recovery codes for when it is lost.

The seed is sealed in the database. A code works once: the time step it was for is kept, and no code of that step or an
earlier one is taken again (RFC 6238 section 5.2). A clock may be one step off. Recovery codes have 80 bits, of which
only SHA-256 is kept; each works once.
"""

import base64
import hmac
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from smtpy.admin.change import Change
from smtpy.admin.refusals import Invalid, NotFound
from smtpy.admin.sessions import digest
from smtpy.store.accounts import Passkey, RecoveryCode
from smtpy.store.schema import User
from smtpy.vault import BadVault, Vault

STEP = 30  # seconds
WINDOW = (0, -1, 1)  # steps a clock may be off
CODES = 10
WRONG = Invalid("code", "That code is wrong, or was used already. Wait for the next one.")
SEED_LOST = Invalid(
    "code", "This server has lost what it takes to check codes of your app. Use a recovery code, and tell its operator."
)


def new_seed() -> str:
    """160 random bits, as authenticator apps take them (base32)."""
    return pyotp.random_base32()


def uri(seed: str, *, email: str, host: str) -> str:
    """What a QR code tells an authenticator app."""
    return pyotp.TOTP(seed).provisioning_uri(name=email, issuer_name=f"SMTPy {host}")


def turn_on(c: Change, user_id: int, seed: str, code: str) -> tuple[str, ...]:
    """Have sign-ins ask for codes of that seed, once one of them has shown that the app has it; the recovery codes.

    Raises Invalid, NotFound.
    """
    step = _step_of(seed, code, c.now, after=None)
    if step is None:
        raise WRONG
    user = _user(c, user_id)
    user.totp, user.totp_step = _vault(c).seal(seed.encode()), step
    c.note("totp.on", f"user {user.email}", None, None)
    return renew_codes(c, user_id)


def turn_off(c: Change, user_id: int) -> None:
    """Ask for no second factor any more; recovery codes stand in for nothing then."""
    user = _user(c, user_id)
    if user.totp is not None:
        user.totp = user.totp_step = None
        c.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        c.note("totp.off", f"user {user.email}", None, None)


def reset(c: Change, user_id: int) -> None:
    """Take away app, recovery codes and passkeys of who has lost them; their password alone signs in then."""
    user = _user(c, user_id)
    user.totp = user.totp_step = None
    for table in (RecoveryCode, Passkey):
        c.session.execute(delete(table).where(table.user_id == user_id))
    c.note("user.reset-mfa", f"user {user.email}", None, None)


def renew_codes(c: Change, user_id: int) -> tuple[str, ...]:
    """Ten new recovery codes, which are told this once; those before are worth nothing."""
    user = _user(c, user_id)
    codes = tuple(_new_code() for _ in range(CODES))
    c.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    rows = [{"user_id": user_id, "digest": _digest(code)} for code in codes]
    c.session.execute(insert(RecoveryCode), rows)
    c.note("recovery.renew", f"user {user.email}", None, None)
    return codes


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes are left."""
    unused = (RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def accept(c: Change, user_id: int, code: str) -> str | None:
    """Use a code up: "totp", "recovery", or None, if it is neither or was used before. Raises Invalid: SEED_LOST."""
    text = "".join(code.split()).replace("-", "").lower()
    if text.isascii() and text.isdigit() and len(text) == 6:
        return "totp" if _accept_totp(c, user_id, text) else None
    mine = (RecoveryCode.user_id == user_id, RecoveryCode.digest == digest(text), RecoveryCode.used_at.is_(None))
    used = update(RecoveryCode).where(*mine).values(used_at=c.now).returning(RecoveryCode.id)
    if c.session.scalar(used) is None:
        return None
    c.note("recovery.use", f"user {_user(c, user_id).email}", None, None)
    return "recovery"


def _accept_totp(c: Change, user_id: int, code: str) -> bool:
    user = _user(c, user_id)
    if user.totp is None:
        return False
    try:
        seed = _vault(c).open(user.totp).decode()
    except BadVault:
        raise SEED_LOST from None
    step = _step_of(seed, code, c.now, after=user.totp_step)
    if step is None:
        return False
    unused = or_(User.totp_step.is_(None), User.totp_step < step)
    used = update(User).where(User.id == user_id, unused).values(totp_step=step).returning(User.id)
    return c.session.scalar(used) is not None


def _step_of(seed: str, code: str, now: datetime, *, after: int | None) -> int | None:
    """The time step the code is for, later than `after`; None: it is for none that counts now."""
    here = int(now.timestamp()) // STEP
    app = pyotp.TOTP(seed)
    for step in (here + off for off in WINDOW):
        fits = hmac.compare_digest(app.generate_otp(step), code.strip())
        if fits and (after is None or step > after):
            return step
    return None


def _new_code() -> str:
    """80 bits: four times four letters and digits."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def _digest(code: str) -> str:
    return digest(code.replace("-", ""))


def _user(c: Change, user_id: int) -> User:
    user = c.session.get(User, user_id)
    if user is None:
        raise NotFound("user", "There is no such user.")
    return user


def _vault(c: Change) -> Vault:
    if c.vault is None:
        raise RuntimeError("a second factor needs the vault")
    return c.vault
