"""What a plan is made from: the message as it arrived, what was asked about it, and what the service has settled."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from smtpy.directory.entries import SigningKey
from smtpy.directory.resolve import Resolution
from smtpy.mail.message import Message
from smtpy.mail.trace import Keys
from smtpy.routing.keyring import Keyring
from smtpy.routing.standing import Standing
from smtpy.signing.body import BodyDigest
from smtpy.srs import Srs


class Stage(StrEnum):
    """Which smtpd the message came in by."""

    FRONT = "front"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the service has settled: its name, secrets (newest first), keys and limits."""

    hostname: str  # also what our Authentication-Results fields go by
    srs: Srs
    keys: Keys
    max_hops: int  # Received fields
    keyring: Keyring
    watch: Callable[[str], AbstractContextManager[object]] = nullcontext  # what is done within is of that name


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message at end-of-message. `id` is its name in the journal, `now` an aware UTC time.

    `standing` is None where nobody was asked who the message comes from: one of our own clients, or a second pass,
    which reads it from the message. `body` is the digest of the whole body in relaxed form; None: nothing is signed.
    """

    id: str
    stage: Stage
    message: Message
    now: datetime
    standing: Standing | None = None
    body: BodyDigest | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What the directory said: one resolution for each recipient of the envelope, whose the reverse-path is, keys."""

    resolutions: tuple[Resolution, ...]
    sender_is_ours: bool
    signing_keys: Mapping[str, tuple[SigningKey, ...]] = field(default_factory=dict)  # by domain, as far as known
