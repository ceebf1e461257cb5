"""A member's first hour: how far they are. What is done shows in what they have; only where they stopped is kept.

No administrative act: it moves no epoch and is not audited.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from smtpy.admin import aliases, domains, mailboxes, messages, sheets
from smtpy.admin.aliases import AliasView
from smtpy.admin.ends import State
from smtpy.admin.mailboxes import MailboxView
from smtpy.admin.sheets import Sheet
from smtpy.admin.timeline import Timeline
from smtpy.config import Settings
from smtpy.store.schema import User

Step = Literal["domain", "dns", "mailbox", "alias", "test"]
STEPS: tuple[Step, ...] = get_args(Step)
DONE: Final = "done"
DISMISSED: Final = "dismissed"
OVER = (DONE, DISMISSED)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a member has of what the first hour is about: the newest domain, the first mailbox that is verified (else
    the newest), the newest alias on that domain that is on (else the newest), and the newest message to it."""

    sheet: Sheet | None
    mailbox: MailboxView | None
    alias: AliasView | None
    message: Timeline | None

    @property
    def works(self) -> bool:
        """Whether mail to the domain comes here."""
        return self.sheet is not None and self.sheet.domain.proven_at is not None and self.sheet.domain.enabled

    def has(self, step: Step) -> bool:
        """Whether a step is done."""
        match step:
            case "domain":
                return self.sheet is not None
            case "dns":
                return self.sheet is not None and self.sheet.complete
            case "mailbox":
                return self.mailbox is not None and self.mailbox.verified_at is not None
            case "alias":
                return self.alias is not None
            case "test":
                return self.message is not None and self.message.state is State.DELIVERED


def progress(session: Session, settings: Settings) -> Progress:
    """How far the viewer is."""
    own = domains.page(session)
    domain = own[-1] if own else None
    boxes = mailboxes.page(session)
    box = next((each for each in boxes if each.verified_at is not None), boxes[-1] if boxes else None)
    made = aliases.page(session, domain=domain.uuid) if domain else ()
    alias = next((each for each in reversed(made) if each.enabled), made[-1] if made else None)
    found = messages.page(session, alias=alias.uuid, limit=1).messages if alias else ()
    sheet = sheets.sheet(session, domain.uuid, settings) if domain else None
    return Progress(sheet, box, alias, found[0] if found else None)


def reach(engine: Engine, user_id: int, where: Step | Literal["done", "dismissed"]) -> None:
    """Note where somebody is."""
    with engine.begin() as connection:
        connection.execute(update(User).where(User.id == user_id).values(welcome=where))
