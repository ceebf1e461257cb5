"""`smtpy` that has everything imported already: `python -m tests.docs.standby SOCKET`, a process for each command.

The pages have many commands, and most of the time of one is Python importing. Each connection (tests/docs/bin/smtpy)
brings the words, the folder, the environment and the three standard streams of a command, which then runs in a fork
with them; its exit status goes back. What cannot be run here is parsed all the same: see PARSED.
"""

import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
from collections.abc import Sequence

import click

import smtpy
from smtpy.cli import main

# Not run: what does not end, and what only root may ask of Postfix. Each is a command, and words that it has besides.
PARSED = (
    (("lookup",), ()), (("policy",), ()), (("milter",), ()), (("worker",), ()), (("metrics",), ()),
    (("audit", "tail"), ("-f",)), (("log",), ("-f",)), *([(("queue",), ())] if os.geteuid() else []),
)  # fmt: skip
# These tell by their exit status what they find: no records, services that do not run, no message of that id.
FINDING = {
    ("domain", "check"): {1},
    ("mailbox", "check"): {1},
    ("doctor",): {1, os.EX_UNAVAILABLE, os.EX_CONFIG},
    ("queue", "release"): {os.EX_NOUSER},
    ("queue", "retry"): {os.EX_NOUSER},
    ("resolve",): {os.EX_NOUSER, os.EX_TEMPFAIL},
}
STREAMS = 3


def serve(path: str) -> None:
    """Until killed."""
    for module in pkgutil.walk_packages(smtpy.__path__, "smtpy."):
        importlib.import_module(module.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them but who asked
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                answer(connection)
            connection.close()


def answer(connection: socket.socket) -> None:
    """Become the command, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked, streams, _, _ = socket.recv_fds(connection, 1 << 20, STREAMS)
    words, folder, environ = json.loads(asked)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    status = run(words)  # a defect ends this process here, with its traceback and without an answer
    sys.stdout.flush()
    connection.send(bytes([status]))
    os._exit(os.EX_OK)


def run(words: Sequence[str]) -> int:
    """Run it, or only parse it; the exit status, 0 where it tells of a finding."""
    path, command = leaf(words)
    if any(path[: len(each)] == each and set(besides) <= set(words) for each, besides in PARSED):
        command.callback = None
    try:
        main(list(words), prog_name="smtpy")
    except SystemExit as end:
        status = int(end.code or os.EX_OK)
    return os.EX_OK if status in FINDING.get(path, ()) else status


def leaf(words: Sequence[str]) -> tuple[tuple[str, ...], click.Command]:
    """The names of the command among the words, and the command."""
    path: tuple[str, ...] = ()
    command: click.Command = main
    context = click.Context(main)
    for word in words:
        if isinstance(command, click.Group) and (found := command.get_command(context, word)):
            path, command = (*path, word), found
    return path, command


if __name__ == "__main__":
    serve(sys.argv[1])
