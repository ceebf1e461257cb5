"""Header fields in our name that are not ours, or that end here: to be removed before ours are put on top.

Anybody can write `SMTPy-Trace`, or an Authentication-Results field of our own authserv-id, and a reader would believe
it (RFC 8601 section 5).
"""

from collections.abc import Iterator

from smtpy.authn.statements import forged
from smtpy.mail import trace
from smtpy.routing.arrival import Arrival, Stage, Terms
from smtpy.routing.edits import RemoveField
from smtpy.routing.standing import RESULTS_FIELD


def not_ours(arrival: Arrival, terms: Terms) -> Iterator[RemoveField]:
    """Their removals, lowest first, so that no index moves."""
    seen: dict[str, int] = {}
    found = []
    fields = arrival.message.fields
    for field in fields:
        name = field.name.decode("latin-1").lower()
        if not name.startswith(trace.PREFIX.lower()):
            continue
        seen[name] = seen.get(name, 0) + 1
        if name != trace.TRACE_FIELD.lower() or trace.read(field.value, terms.keys) is None:
            found.append(RemoveField(field.name.decode("latin-1"), seen[name]))
    yield from reversed(found)
    if not (arrival.stage is Stage.SPLIT and arrival.standing):  # there the first of them is our own
        yield from (RemoveField(RESULTS_FIELD, index) for index in reversed(forged(fields, terms.hostname)))
