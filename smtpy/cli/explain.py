"""`smtpy explain FILE --from A --to B...`: what would become of a message, asked of the functions that decide it.

Nothing is sent and nothing recorded. First what each RCPT TO would hear; then, for the recipients that were taken, the
plan of each pass: verdict and reply, the envelope that leaves, and the header with what goes (-) and what comes (+).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import click

from smtpy.cli.resolve import RELAY, answer, exit_code
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_document

if TYPE_CHECKING:
    from smtpy.directory.questions import Directory
    from smtpy.mail.message import Field, Message
    from smtpy.routing.edits import Edit
    from smtpy.routing.arrival import Stage
    from smtpy.routing.outcome import Plan

Told = dict[str, Any]  # as it is shown


@click.command("explain")
@click.argument("file", type=click.File("rb"))
@click.option("--from", "sender", default="", metavar="ADDRESS", help="The reverse-path; default: the null one.")
@click.option("--to", "recipients", multiple=True, required=True, metavar="ADDRESS", help="May be given again.")
@json_option
@click.pass_context
@pass_setup
def explain_command(setup: Setup, ctx: click.Context, /, file: BinaryIO, as_json: bool, **envelope: Any) -> None:
    """What would be done with a message, and why. FILE - is standard input."""
    data = file.read()
    with setup.engine() as engine:
        from smtpy.mail.address import strip_path
        from smtpy.store.directory import SqlDirectory

        sender, recipients = strip_path(envelope["sender"]), [strip_path(each) for each in envelope["recipients"]]
        directory = SqlDirectory(engine, setup.settings.srs_max_age_days)
        answers = [answer(setup, directory, recipient, sender, len(data)) for recipient in recipients]
        taken = [each for each, said in zip(recipients, answers, strict=True) if said["answer"][0] == "2"]
        passes = list(_passes(setup, directory, data, sender, taken)) if taken else []
    found = {"recipients": answers, "passes": passes}
    if as_json:
        show_document(found)
    else:
        click.echo("\n".join(_text(sender, found)))
    ctx.exit(exit_code(passes[0] if passes else answers[0]))


def _passes(
    setup: Setup, directory: "Directory", data: bytes, sender: str, recipients: Sequence[str]
) -> Iterator[Told]:
    """The first pass, and the second of every copy that it would send there; none has a third."""
    from smtpy.mail.envelope import Envelope
    from smtpy.mail.message import read
    from smtpy.routing.internal import unsplit
    from smtpy.routing.arrival import Stage

    told, after = _pass(setup, directory, Stage.FRONT, read(data, Envelope(sender, tuple(recipients))))
    yield told
    for copy in after.envelope.recipients:
        if unsplit(copy) is not None:
            alone = replace(after, envelope=replace(after.envelope, recipients=(copy,)))
            yield _pass(setup, directory, Stage.SPLIT, alone)[0]


def _pass(setup: Setup, directory: "Directory", stage: "Stage", message: "Message") -> tuple[Told, "Message"]:
    """One pass as it is told, and the message as it leaves it."""
    from smtpy.routing.ask import ask
    from smtpy.routing.arrival import Arrival
    from smtpy.routing.plan import plan
    from smtpy.terms import house_of, terms_of

    arrival = Arrival(str(uuid4()), stage, message, datetime.now(UTC))
    answers = ask(message.envelope, stage, directory, house_of(setup.settings), arrival.now)
    decided = plan(arrival, answers, terms_of(setup.settings))
    after = _after(message, decided.edits)
    return _told(stage.value, decided, message, after), after


def _after(message: "Message", edits: Sequence["Edit"]) -> "Message":
    """The message as it leaves: the edits made on values, as the milter makes them in Postfix."""
    from smtpy.mail.message import Field
    from smtpy.routing.edits import AddField, ChangeReversePath, RemoveField, ReplaceRecipient

    fields, envelope = list(message.fields), message.envelope
    for edit in edits:
        match edit:
            case AddField(name=name, value=value):
                fields.insert(0, Field(name.encode(), b" " + value.encode()))
            case RemoveField(name=name, index=index):
                del fields[[at for at, field in enumerate(fields) if field.named(name)][index - 1]]
            case ChangeReversePath(path=path):
                envelope = replace(envelope, reverse_path=path)
            case ReplaceRecipient(recipient=old, replacements=new):
                left = [each for each in envelope.recipients if each != old]
                envelope = replace(envelope, recipients=(*left, *new))
    return replace(message, fields=tuple(fields), envelope=envelope)


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
    for each in found["passes"]:
        yield f"end of message, {each['stage']} pass"
        yield f"    {each['answer']} ({each['why']})"
        if each["verdict"] == "accept":
            yield f"    leaves from <{each['reverse_path']}> to {', '.join(each['goes_to'])}"
            yield from (f"    {line}" for line in each["header"])
