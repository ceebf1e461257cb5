"""What is written by a condition is written once, on both databases: links, codes, steps, passkeys."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select, update
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from smtpy.admin import accounts, choices, factors, links, members, passwords, signing_in
from smtpy.admin.accounts import Newcomer
from smtpy.admin.change import change, personal, reading
from smtpy.admin.choices import SignUp
from smtpy.admin.refusals import InUse, Invalid, NotFound, Refusal
from smtpy.store.accounts import Purpose
from smtpy.store.schema import Epoch, Role, User
from smtpy.vault import Vault

ANN = "ann@people.example"
PASSWORD = "seven letters went by boat"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
VAULT = Vault(["x" * 48])


@pytest.fixture
def ann(engine: Engine) -> int:
    with change(engine, by="test") as c:
        return members.add(c, ANN).id


def at_once(work: object, times: int = 6) -> int:
    """How many of so many at once succeeded."""
    with ThreadPoolExecutor(times) as pool:
        return sum(pool.map(lambda _: work(), range(times)))  # type: ignore[operator]


def test_a_link_is_used_once_by_however_many(engine: Engine) -> None:
    with change(engine, by="test") as c:
        token = accounts.invite(c, "new@people.example")

    def accept() -> bool:
        try:
            with change(engine, by="link") as c:
                accounts.join(c, token, Purpose.INVITE, Newcomer("", PASSWORD))
        except Refusal:
            return False
        return True

    assert at_once(accept) == 1
    with reading(engine) as session:
        assert signing_in.by_password(engine, "new@people.example", PASSWORD)
        assert accounts.invitations(session) == ()


def test_a_code_is_used_once_by_however_many(engine: Engine, ann: int) -> None:
    with personal(engine, by="test", vault=VAULT) as c:
        step = int(c.now.timestamp()) // 30
        codes = factors.turn_on(c, ann, SEED, pyotp.TOTP(SEED).generate_otp(step - 1))

    def try_(code: str) -> bool:
        with personal(engine, by="test", vault=VAULT) as c:
            how = factors.accept(c, ann, code)
            if how:
                c.note("user.sign-in", "test", None, None)
            return how is not None

    assert at_once(lambda: try_(pyotp.TOTP(SEED).generate_otp(step))) == 1
    assert at_once(lambda: try_(codes[3])) == 1


def test_tries_at_one_moment_are_counted(engine: Engine, ann: int) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=1)

    def try_() -> bool:
        now = datetime.now(UTC)
        return signing_in.may_try(engine, ann, "code", begun, client="", now=now) is not None

    assert at_once(try_, 12) <= signing_in.TRIES


def epoch_of(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalars(select(Epoch.value)).one()


def test_how_people_sign_in_empties_no_cache(engine: Engine, ann: int) -> None:
    before = epoch_of(engine)
    with personal(engine, by="test") as c:
        signing_in.set_password(c, ann, PASSWORD)
    assert epoch_of(engine) == before
    assert signing_in.by_password(engine, ANN, PASSWORD)


def test_a_password_hashed_at_lower_costs_is_hashed_anew(engine: Engine, ann: int) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with engine.begin() as connection:
        connection.execute(update(User).values(password=weak))
    member = signing_in.by_password(engine, ANN, PASSWORD)
    assert member is not None
    with personal(engine, by="test") as c:
        signing_in.keep_up(c, member, PASSWORD)
    with reading(engine) as session:
        kept = members.find(session, ANN).password
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.fits(kept, PASSWORD)


COMMON = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= passwords.MIN]
DECORATED = [
    *("Password123!", "P@ssw0rd123", "Qwertyuiop1!", "1q2w3e4r5t", "1qaz2wsx3edc", "iloveyou1234", "Welcome2026!"),
    *("Summer2026!!", "januar2026!", "Passwort2026!", "Admin12345!", "12345678910", "aaaaaaaaaaaa", "trustno1trustno1"),
    *("passwordpassword", "michael1985", "starwars1977", "q1w2e3r4t5y6", " letmein 2026 ", "!!Monkey!!99"),
]


@pytest.mark.parametrize("text", [*COMMON[:50], *COMMON[50::50], *DECORATED])
def test_21_no_common_password_is_taken(text: str) -> None:
    for each in (text, text.upper(), text.capitalize()):
        with pytest.raises(Invalid):
            passwords.judged(each, ())


def test_21_the_list_of_common_ones_is_long_enough() -> None:
    assert len(passwords._common()) >= 3000  # ASVS 6.2.4


@pytest.mark.parametrize(
    "text", ["summer letters boat", "boat-summer-letters", "Tr0ub4dour&3 horse", "summer#98471203#qx"]
)
def test_21_a_common_word_among_others_does_no_harm(text: str) -> None:
    assert passwords.judged(text, ()) == text


def test_links_are_kept_as_digests(engine: Engine) -> None:
    with change(engine, by="test") as c:
        token = accounts.first(c)
    with engine.connect() as connection:
        assert token not in str(connection.exec_driver_sql("SELECT * FROM one_time_links").all())
        assert token not in str(connection.exec_driver_sql("SELECT * FROM audit").all())


def test_an_invitation_is_revoked(engine: Engine) -> None:
    with change(engine, by="test") as c:
        token = accounts.invite(c, "new@people.example")
    with change(engine, by="test") as c:
        accounts.revoke_invitation(c, "new@people.example")
    with reading(engine) as session, pytest.raises(NotFound):
        links.find(session, token, Purpose.INVITE, datetime.now(UTC))
    with change(engine, by="test") as c, pytest.raises(NotFound):
        accounts.revoke_invitation(c, "new@people.example")


def test_who_may_sign_up_is_a_choice(engine: Engine) -> None:
    for mode in (SignUp.OPEN, SignUp.CLOSED, SignUp.INVITATION):
        with change(engine, by="test") as c:
            choices.set_sign_up(c, mode)
        with reading(engine) as session:
            assert choices.sign_up(session) is mode


def test_there_is_one_first_administrator(engine: Engine) -> None:
    with change(engine, by="test") as c:
        token = accounts.first(c)
    with change(engine, by="test") as c:
        signing_in.set_password(c, members.add(c, "root@people.example", role=Role.ADMIN).id, PASSWORD)
    with change(engine, by="link") as c, pytest.raises(InUse):
        accounts.join(c, token, Purpose.ADMIN, Newcomer("", PASSWORD, "evil@people.example"))
