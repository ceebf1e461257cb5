"""What would become of a message, asked of the functions that decide it; nothing is sent, nothing recorded.

`answers` is RCPT TO, `verdicts` who vouches for the message, `passes` the plans; `explain` puts them together. The
command line (smtpy.cli) and the web pages stand on it and decide nothing themselves.
"""

from smtpy.explain.answers import RELAY, Answer, answer
from smtpy.explain.passes import Asked, Explained, Pass, explain
from smtpy.explain.verdicts import Verdict, digests, rows, verdicts

__all__ = [
    "RELAY",
    "Answer",
    "Asked",
    "Explained",
    "Pass",
    "Verdict",
    "answer",
    "digests",
    "explain",
    "rows",
    "verdicts",
]
