"""The log's lines: one for each record, in one form, whatever a peer put into it."""

import logging
import re
import subprocess
import sys

from smtpy.cli.logs import Line


def test_a_line_has_time_level_process_and_text() -> None:
    program = (
        "import logging; from smtpy.cli.logs import set_up; set_up('policy', 'warning');"
        "logging.getLogger('smtpy.policy').info('not this'); logging.getLogger('smtpy.x').warning('to=<%s>', 'a@b')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING policy: to=<a@b>\n", done.stderr)


def test_a_peer_cannot_write_a_line_of_its_own() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, __file__, 1, "to=<%s>", ("a\r\n2026-01-01 INFO policy: forged",), None
    )
    assert Line("%(message)s").format(record) == r"to=<a\r\n2026-01-01 INFO policy: forged>"
