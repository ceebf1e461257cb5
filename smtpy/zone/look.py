"""A look at the DNS of a domain, through one resolver after the other: what every judge needs to know and to say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from smtpy.authn.suffixes import Suffixes
from smtpy.dns import Dns, DnsTrouble, texts
from smtpy.zone.findings import NO_ANSWER, Finding, Status, agree, finding
from smtpy.zone.records import Kind, Wanted

MOST_SHOWN = 300  # characters of one record
_TELLING = len("v=spf1")  # characters that tell what kind of record it is
_OF_MANY = (Kind.OWNERSHIP, Kind.DKIM)  # of which others may stand anywhere
ELSEWHERE = "Other TXT records answer there, perhaps through a wildcard; they do no harm, and this one is needed too."

ROOT = "."

Wants = Sequence[Wanted]  # of one kind at one name


@dataclass(frozen=True, slots=True)
class Look:
    """`dns` is one resolver, `domain` whose records are looked at, `hosts` those of the service."""

    dns: Dns
    domain: str
    hosts: tuple[str, ...]
    suffixes: Suffixes


Judge = Callable[[Wants, Look], Finding]
Resolvers = Mapping[str, Callable[[], Dns]]  # by what people call them; the time of each begins when it is opened


def judged(judge: Judge, wants: Wants, look: Look) -> Finding:
    """What a judge says; whatever question remained open, nobody knows then."""
    try:
        return judge(wants, look)
    except DnsTrouble as trouble:
        return finding(wants, Status.UNKNOWN, (f"no answer ({trouble})",), NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is said of a domain. `unreached`: resolvers that answer nothing whatsoever, so the fault is not there."""

    findings: tuple[Finding, ...]
    unreached: tuple[str, ...] = ()


def together(resolvers: Resolvers, seen: Callable[[Dns], Sequence[Finding]]) -> Seen:
    """What is said of what each resolver shows; `seen` gives the same findings in the same order each time."""
    views = {label: seen(opened()) for label, opened in resolvers.items()}
    unreached = tuple(label for label, view in views.items() if _all_unknown(view) and not _answers(resolvers[label]()))
    heard = {label: view for label, view in views.items() if label not in unreached}
    if not heard:  # the domain is not to blame, and its owner has nothing to do
        nobody = next(iter(views.values()))
        return Seen(tuple(replace(each, found=(), todo="") for each in nobody), unreached)
    findings = (agree(list(zip(heard, each, strict=True))) for each in zip(*heard.values(), strict=True))
    return Seen(tuple(findings), unreached)


def _all_unknown(view: Sequence[Finding]) -> bool:
    return all(each.status is Status.UNKNOWN for each in view)


def _answers(dns: Dns) -> bool:
    """Whether a resolver knows the root, as each one does that can be reached."""
    try:
        dns.ask(ROOT, "NS")
    except DnsTrouble:
        return False
    return True


def shown(text: bytes) -> str:
    """A stranger's record, of bounded length."""
    line = text.decode("utf-8", "backslashreplace")
    return line if len(line) <= MOST_SHOWN else f"{line[:MOST_SHOWN]}…"


def begins(text: bytes, version: bytes) -> bool:
    """Whether a record is of that version: `v=spf1` is, `v=spf10` is not. Blanks before it are forgiven, and case."""
    start, _, rest = text.strip().lower().partition(version)
    return not start and (not rest or rest[:1] in (b" ", b";", b"\t"))


def publish(wanted: Wanted) -> str:
    """What to do about a record that is not there; and why, if it may be left so."""
    reason = "" if wanted.required else f"{wanted.why} "
    article = "an" if wanted.type == "MX" else "a"
    return f"{reason}Add {article} {wanted.type} record named {wanted.name} with the value: {wanted.value}"


def absent(wants: Wants, look: Look, others: Sequence[bytes] = ()) -> Finding:
    """A TXT record that is not there, and why that may be. `others`: TXT records that answer in its place."""
    wanted = wants[0]
    if place := _misplaced(wanted, look):
        short = wanted.name.removesuffix(f".{look.domain}") if wanted.name != look.domain else "@"
        todo = f"Name it {wanted.name}; where your provider adds the domain by itself, enter {short} as its name."
        return finding(wants, Status.MISSING, (f"it stands at {place}",), todo)
    hint = f"{ELSEWHERE} " if others else ""
    return finding(wants, Status.MISSING, [shown(each) for each in others], hint + publish(wanted))


def _misplaced(wanted: Wanted, look: Look) -> str | None:
    """Where a record of that kind stands instead: below its own name, when the domain was added twice, or above it."""
    told = wanted.value if wanted.kind in _OF_MANY else wanted.value[:_TELLING]
    for place in (f"{wanted.name}.{look.domain}", look.domain):
        if place != wanted.name and any(
            each.lower().startswith(told.lower().encode()) for each in texts(look.dns, place)
        ):
            return place
    return None
