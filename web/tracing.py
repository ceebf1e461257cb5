"""A message's states, steps and verdicts in the reader's words. What they are stands in smtpy.admin.ends and timeline.

`kind` is how a state is shown (the macro `state`): good, warn, bad, off, wait.
"""

from dataclasses import dataclass

from flask import Flask

from smtpy.admin.ends import WAITING, State
from smtpy.admin.timeline import Step, Timeline
from web.i18n import N_, _

STATES: dict[State, tuple[str, str]] = {
    State.ACCEPTED: (N_("Accepted"), "wait"),
    State.QUEUED: (N_("On its way"), "wait"),
    State.DEFERRED: (N_("Put off"), "warn"),
    State.HELD: (N_("Held"), "warn"),
    State.DELIVERED: (N_("Delivered"), "good"),
    State.BOUNCED: (N_("Bounced"), "bad"),
    State.RETURNED: (N_("Returned"), "bad"),
    State.DROPPED: (N_("Dropped"), "off"),
    State.DELETED: (N_("Deleted"), "off"),
    State.REFUSED: (N_("Refused"), "off"),
    State.MISSING: (N_("Lost sight of"), "bad"),
}
MEANINGS: dict[State, str] = {
    State.ACCEPTED: N_("It was taken, and the mail server has told nothing of it yet."),
    State.QUEUED: N_("It waits in the queue for its turn."),
    State.DEFERRED: N_("The other server did not take it for now. It is tried again, for some days."),
    State.HELD: N_("It waits until somebody lets it go."),
    State.DELIVERED: N_("The mailbox's server has taken it."),
    State.BOUNCED: N_("It failed for good."),
    State.RETURNED: N_("It failed for good, and a report has gone to the sender."),
    State.DROPPED: N_("It was taken and, by a rule, not delivered."),
    State.DELETED: N_("An operator has deleted it from the queue."),
    State.REFUSED: N_("It was not taken: the sender's server was told at once, and tells the sender."),
    State.MISSING: N_("The mail server has done with it, and nothing is known of its delivery. Ask your operator."),
}
STEPS: dict[str, str] = {
    "received": N_("Arrived"),
    "verdicts": N_("Sender checked"),
    "decided": N_("Decided"),
    "signed": N_("Signed"),
    "queued": N_("Queued"),
    "copied": N_("A copy went on by itself"),
    "deferred": N_("Put off, to be tried again"),
    "delivered": N_("Delivered"),
    "bounced": N_("Could not be delivered"),
    "dropped": N_("Dropped"),
    "reported": N_("Reported"),
    "returned": N_("A report went to the sender"),
    "gave up": N_("Given up"),
    "held": N_("Held"),
    "released": N_("Released"),
    "deleted": N_("Deleted by an operator"),
    "requeued": N_("Queued anew"),
    "refused": N_("Refused"),
    "finished": N_("Done"),
}
_MOODS = {
    **dict.fromkeys(("delivered", "finished"), "good"),
    **dict.fromkeys(("deferred", "held", "requeued"), "warn"),
    **dict.fromkeys(("bounced", "returned", "gave up"), "bad"),
    **dict.fromkeys(("dropped", "deleted", "refused"), "off"),
}
CHECKS = (
    ("spf", "SPF", N_("May this server send for that domain?")),
    ("dkim", "DKIM", N_("Is it signed, and unchanged since?")),
    ("dmarc", "DMARC", N_("Does one of these vouch for the author's domain?")),
    ("arc", "ARC", N_("Is the chain of those who passed it on unbroken?")),
)
RESULTS: dict[str, tuple[str, str]] = {
    "pass": (N_("Yes."), "good"),
    "fail": (N_("No."), "bad"),
    "softfail": (N_("Rather not."), "warn"),
    "neutral": (N_("It does not say."), "off"),
    "none": (N_("There is none."), "off"),
    "policy": (N_("Not in a way that counts."), "warn"),
    "temperror": (N_("DNS did not answer."), "warn"),
    "permerror": (N_("The record is broken."), "bad"),
}
_OPEN = WAITING - {State.HELD}  # what may change while somebody looks


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict on who sent a message: what was asked, and the answer."""

    name: str
    asked: str
    result: str
    words: str
    kind: str


def init_app(app: Flask) -> None:
    """For templates."""
    app.jinja_env.globals.update(
        state_words=state_words, state_meaning=state_meaning, step_words=step_words, step_mood=step_mood,
        checks_of=checks_of, is_final=is_final,
    )  # fmt: skip


def state_words(state: State) -> tuple[str, str]:
    """The word for a state, and how it is shown."""
    words, kind = STATES[state]
    return _(words), kind


def state_meaning(state: State) -> str:
    """What a state means."""
    return _(MEANINGS[state])


def step_words(step: Step) -> str:
    """The word for a step."""
    return _(STEPS[step.kind]) if step.kind in STEPS else step.kind


def step_mood(step: Step) -> str:
    """How a step is shown."""
    return _MOODS.get(step.kind, "")


def checks_of(message: Timeline) -> list[Check]:
    """What was found out about the sender; nothing if it was refused before."""
    found = []
    for field, name, asked in CHECKS:
        if result := getattr(message.entry, field):
            words, kind = RESULTS.get(result, (result, "off"))
            found.append(Check(name, _(asked), result, _(words), kind))
    return found


def is_final(message: Timeline) -> bool:
    """Whether nothing more is to be expected of it."""
    return message.state not in _OPEN
