"""The plan of each pass: verdict and reply, the envelope that leaves, the header with what goes (-) and comes (+).

First what each RCPT TO would hear; then, for the recipients that were taken, the first pass, and the second of every
copy that it would send there; none has a third.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import ndiff
from uuid import uuid4

from smtpy.authn.authenticate import Origin
from smtpy.authn.suffixes import Suffixes
from smtpy.config import Settings
from smtpy.directory.questions import Directory
from smtpy.dns import Dns, DnsTrouble
from smtpy.explain.answers import Answer, answer
from smtpy.explain.verdicts import Verdict, digests, rows, verdicts
from smtpy.mail.address import strip_path
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field, Message, parts, read
from smtpy.routing.arrival import Arrival, Stage
from smtpy.routing.ask import ask
from smtpy.routing.edits import edited
from smtpy.routing.internal import unsplit
from smtpy.routing.outcome import Plan
from smtpy.routing.plan import plan
from smtpy.routing.standing import Standing, standing_of
from smtpy.signing.body import OURS
from smtpy.terms import house_of, terms_of


@dataclass(frozen=True, slots=True)
class Asked:
    """A message and the SMTP session it would come in. `client` is the IP address as text, or ""."""

    data: bytes
    sender: str
    recipients: tuple[str, ...]
    client: str = ""
    helo: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass decides. `header`: lines that begin with "- ", "+ " or two blanks. `signed`: by whom, or why not.

    `goes_to` and `reverse_path`: the envelope that leaves.
    """

    stage: str
    verdict: str
    answer: str
    why: str
    signed: str
    reverse_path: str
    goes_to: tuple[str, ...]
    header: tuple[str, ...]
    where_it_arrives: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """`authentication` and `passes` are empty when no recipient was taken."""

    recipients: tuple[Answer, ...]
    authentication: tuple[Verdict, ...] = ()
    passes: tuple[Pass, ...] = ()


def _everything(_: Answer) -> bool:
    return True


def explain(
    asked: Asked,
    directory: Directory,
    settings: Settings,
    dns: Callable[[], Dns],
    may_see: Callable[[Answer], bool] = _everything,
) -> Explained:
    """What would be done with it, and why. `dns` opens a way to ask for one set of verdicts.

    Of a recipient that `may_see` denies only the answer is told, as the world hears it; the plans are then those of a
    message without it. Raises Unavailable.
    """
    sender = strip_path(asked.sender)
    told, taken = [], []
    for recipient in map(strip_path, asked.recipients):
        said = answer(settings, directory, recipient, sender, len(asked.data))
        seen = may_see(said)
        told.append(said if seen else said.outside())
        if seen and said.taken:
            taken.append(recipient)
    if not taken:
        return Explained(tuple(told))
    case = _Case(settings, directory, dns, asked.data)
    return case.told(tuple(told), Envelope(sender, tuple(taken), asked.client, asked.helo))


@dataclass(frozen=True, slots=True)
class _Case:
    """One message, and whom to ask about it."""

    settings: Settings
    directory: Directory
    dns: Callable[[], Dns]
    data: bytes

    def told(self, answers: tuple[Answer, ...], envelope: Envelope) -> Explained:
        settings, message = self.settings, read(self.data, envelope)
        found = verdicts(*parts(self.data), _origin(envelope, settings.hostname), self.dns())
        standing = standing_of(found, settings.hostname, Suffixes(), frozenset(settings.trusted_sealers))
        first, after = self._pass(Stage.FRONT, message, standing)
        passes = [first]
        for copy in after.envelope.recipients:
            if unsplit(copy) is not None:
                alone = replace(after, envelope=replace(after.envelope, recipients=(copy,)))
                passes.append(self._pass(Stage.SPLIT, alone, None)[0])
        return Explained(answers, rows(found), tuple(passes))

    def _pass(self, stage: Stage, message: Message, standing: Standing | None) -> tuple[Pass, Message]:
        """One pass as it is told, and the message as it leaves it."""
        now = datetime.now(UTC)
        body = digests(parts(self.data)[1], frozenset({OURS}))[OURS]
        answers = ask(message.envelope, stage, self.directory, house_of(self.settings), now)
        arrival = Arrival(str(uuid4()), stage, message, now, standing, body)
        decided = plan(arrival, answers, terms_of(self.settings))
        after = edited(message, decided.edits)
        told = _told(stage.value, decided, message, after)
        is_split = any(each.decision == "split" for each in decided.outcomes)
        if decided.verdict == "accept" and not is_split:
            told = replace(told, where_it_arrives=self._where_it_arrives(after))
        return told, after

    def _where_it_arrives(self, message: Message) -> tuple[Verdict, ...]:
        """Who vouches for it there: its client is this host, as DNS knows it."""
        hostname, dns = self.settings.hostname, self.dns()
        try:
            client = next((str(each) for each in dns.ask(hostname, "A").records), "")
        except DnsTrouble:
            client = ""
        origin = _origin(replace(message.envelope, client=client, helo=hostname), "the-mailbox.invalid")
        return rows(verdicts(message.fields, parts(self.data)[1], origin, dns))


def _origin(envelope: Envelope, receiver: str) -> Origin:
    return Origin(envelope.client, envelope.helo, envelope.reverse_path, receiver)


def _told(stage: str, decided: Plan, before: Message, after: Message) -> Pass:
    old, new = [_lines(message.fields) for message in (before, after)]
    # a recipient the plan leaves alone is rewritten by Postfix, which asks the lookup service
    looked_up = {each.recipient: each.targets for each in decided.outcomes if each.targets}
    return Pass(
        stage=stage,
        verdict=decided.verdict.value,
        answer=str(decided.reply or "250 2.0.0 Ok"),
        why=decided.why,
        signed=decided.signed,
        reverse_path=after.envelope.reverse_path,
        goes_to=tuple(goal for each in after.envelope.recipients for goal in looked_up.get(each, (each,))),
        header=tuple(line.rstrip("\n") for line in ndiff(old, new) if line[0] in "+- "),
    )


def _lines(fields: Sequence[Field]) -> list[str]:
    text = b"".join(field.name + b":" + field.value + b"\n" for field in fields)
    return text.decode("utf-8", "backslashreplace").splitlines(keepends=True)
