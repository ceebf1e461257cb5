"""`smtpy explain FILE --from A --to B...`: what would become of a message, asked of the functions that decide it.

Nothing is sent and nothing recorded. First what each RCPT TO would hear and who vouches for the message; then, for the
recipients that were taken, the plan of each pass: verdict and reply, the envelope that leaves, the header with what
goes (-) and what comes (+), and who vouches for it where it arrives. DNS is asked, by the settings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import click

from smtpy.cli.resolve import RELAY, answer, exit_code
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import Row, json_option, show_document
from smtpy.cli.verdicts import digests, rows, sender_option, session_options, verdicts

if TYPE_CHECKING:
    from smtpy.directory.questions import Directory
    from smtpy.mail.envelope import Envelope
    from smtpy.mail.message import Field, Message
    from smtpy.routing.arrival import Stage
    from smtpy.routing.outcome import Plan
    from smtpy.routing.standing import Standing

Told = dict[str, Any]  # as it is shown


@click.command("explain")
@click.argument("file", type=click.File("rb"))
@sender_option
@click.option("--to", "recipients", multiple=True, required=True, metavar="ADDRESS", help="May be given again.")
@session_options
@json_option
@click.pass_context
@pass_setup
def explain_command(setup: Setup, ctx: click.Context, /, file: BinaryIO, as_json: bool, **session: Any) -> None:
    """What would be done with a message, and why. FILE - is standard input."""
    data = file.read()
    with setup.engine() as engine:
        from smtpy.mail.address import strip_path
        from smtpy.mail.envelope import Envelope
        from smtpy.store.directory import SqlDirectory

        sender, recipients = session["sender"], [strip_path(each) for each in session["recipients"]]
        directory = SqlDirectory(engine, setup.settings.srs_max_age_days)
        answers = [answer(setup, directory, recipient, sender, len(data)) for recipient in recipients]
        taken = [each for each, said in zip(recipients, answers, strict=True) if said["answer"][0] == "2"]
        envelope = Envelope(sender, tuple(taken), session["client"], session["helo"])
        found = _Case(setup, directory, data).told(envelope) if taken else {"authentication": [], "passes": []}
    found = {"recipients": answers, **found}
    if as_json:
        show_document(found)
    else:
        click.echo("\n".join(_text(sender, found)))
    ctx.exit(exit_code(found["passes"][0] if found["passes"] else answers[0]))


@dataclass(frozen=True, slots=True)
class _Case:
    """One message, and whom to ask about it."""

    setup: Setup
    directory: "Directory"
    data: bytes

    def told(self, envelope: "Envelope") -> Told:
        """The first pass, and the second of every copy that it would send there; none has a third."""
        from smtpy.authn.suffixes import Suffixes
        from smtpy.mail.message import parts, read
        from smtpy.routing.arrival import Stage
        from smtpy.routing.internal import unsplit
        from smtpy.routing.standing import standing_of

        settings, message = self.setup.settings, read(self.data, envelope)
        found = verdicts(self.setup, *parts(self.data), _origin(envelope, settings.hostname))
        standing = standing_of(found, settings.hostname, Suffixes(), frozenset(settings.trusted_sealers))
        first, after = self._pass(Stage.FRONT, message, standing)
        passes = [first]
        for copy in after.envelope.recipients:
            if unsplit(copy) is not None:
                alone = replace(after, envelope=replace(after.envelope, recipients=(copy,)))
                passes.append(self._pass(Stage.SPLIT, alone, None)[0])
        return {"authentication": rows(found), "passes": passes}

    def _pass(self, stage: "Stage", message: "Message", standing: "Standing | None") -> tuple[Told, "Message"]:
        """One pass as it is told, and the message as it leaves it."""
        from smtpy.mail.message import parts
        from smtpy.routing.arrival import Arrival
        from smtpy.routing.ask import ask
        from smtpy.routing.edits import edited
        from smtpy.routing.plan import plan
        from smtpy.signing.body import OURS
        from smtpy.terms import house_of, terms_of

        settings, now = self.setup.settings, datetime.now(UTC)
        body = digests(parts(self.data)[1], frozenset({OURS}))[OURS]
        answers = ask(message.envelope, stage, self.directory, house_of(settings), now)
        decided = plan(Arrival(str(uuid4()), stage, message, now, standing, body), answers, terms_of(settings))
        after = edited(message, decided.edits)
        told = _told(stage.value, decided, message, after)
        is_split = any(each.decision == "split" for each in decided.outcomes)
        arrives = [] if decided.verdict != "accept" or is_split else self._where_it_arrives(after)
        return {**told, "where_it_arrives": arrives}, after

    def _where_it_arrives(self, message: "Message") -> list[Row]:
        """Who vouches for it there: its client is this host, as DNS knows it."""
        from smtpy.dns import DnsTrouble
        from smtpy.mail.message import parts
        from smtpy.resolver import Resolver

        settings = self.setup.settings
        dns = Resolver(settings.dns_servers, settings.dns_timeout_seconds).within(settings.authentication_seconds)
        try:
            client = next((str(each) for each in dns.ask(settings.hostname, "A").records), "")
        except DnsTrouble:
            client = ""
        envelope = replace(message.envelope, client=client, helo=settings.hostname)
        origin = _origin(envelope, "the-mailbox.invalid")
        return rows(verdicts(self.setup, message.fields, parts(self.data)[1], origin))


def _origin(envelope: "Envelope", receiver: str) -> Any:
    from smtpy.authn.authenticate import Origin

    return Origin(envelope.client, envelope.helo, envelope.reverse_path, receiver)


def _told(stage: str, decided: "Plan", before: "Message", after: "Message") -> Told:
    from difflib import ndiff

    old, new = [_lines(message.fields) for message in (before, after)]
    # a recipient the plan leaves alone is rewritten by Postfix, which asks the lookup service
    looked_up = {each.recipient: each.targets for each in decided.outcomes if each.targets}
    return {
        "stage": stage,
        "verdict": decided.verdict.value,
        "answer": str(decided.reply or "250 2.0.0 Ok"),
        "why": decided.why,
        "signed": decided.signed,
        "reverse_path": after.envelope.reverse_path,
        "goes_to": [goal for each in after.envelope.recipients for goal in looked_up.get(each, (each,))],
        "header": [line.rstrip("\n") for line in ndiff(old, new) if line[0] in "+- "],
    }


def _lines(fields: Sequence["Field"]) -> list[str]:
    text = b"".join(field.name + b":" + field.value + b"\n" for field in fields)
    return text.decode("utf-8", "backslashreplace").splitlines(keepends=True)


def _text(sender: str, found: Told) -> Iterator[str]:
    """A dialogue, then each pass."""
    yield f"MAIL FROM:<{sender}>"
    for said in found["recipients"]:
        yield f"RCPT TO:<{said['address']}>"
        yield f"    {said['answer']}" + (f" ({said['why']})" if said["answer"] != RELAY else "")
    yield from _vouching("as it arrives", found["authentication"])
    for each in found["passes"]:
        yield f"end of message, {each['stage']} pass"
        yield f"    {each['answer']} ({each['why']})"
        if each["verdict"] == "accept":
            yield f"    leaves from <{each['reverse_path']}> to {', '.join(each['goes_to'])}"
            if each["signed"]:
                yield f"    signed: {each['signed']}"
            yield from (f"    {line}" for line in each["header"])
            yield from _vouching("where it arrives then", each["where_it_arrives"])


def _vouching(when: str, told: Sequence[Row]) -> Iterator[str]:
    if told:
        yield f"who vouches for it, {when}"
    for each in told:
        yield "    " + " ".join(str(each[name]) for name in ("method", "result", "of", "why") if each[name])
