"""The command: options in, the report out, nothing left behind. See bench/README.md."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from bench import author, crypto, network, report, words
from bench.accounting import open_account
from bench.machine import Failed, Patience, free_ports
from bench.processes import Processes
from bench.report import Results
from bench.visits import SCALING, STACKS, carry_out, plan
from tests.dns import Zone
from tests.nameserver import Nameserver

TOOLS = ("smtp-source", "smtp-sink", "postfix", "postmap", "setpriv", "ip")
# rounds, messages of a run, messages one by one
USUAL = {"rounds": 3, "count": 1000, "lone": 100}
QUICK = {"rounds": 1, "count": 300, "lone": 50}
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    names = (*STACKS, SCALING)
    parser = argparse.ArgumentParser("python -m bench", description="SMTPy beside bare Postfix and its peers.")
    parser.add_argument("--quick", action="store_true", help="one round of fewer messages: about 2 minutes")
    parser.add_argument("--stacks", nargs="+", choices=names, default=names, metavar="NAME", help=" ".join(names))
    parser.add_argument("--sizes", nargs="+", type=int, default=(5120, 51200), metavar="OCTETS", help="of a message")
    parser.add_argument("--recipients", nargs="+", type=int, default=(1, 3), metavar="N", help="aliases of a message")
    parser.add_argument("--rounds", type=int, help="3, with --quick 1; a row is the median")
    parser.add_argument("--count", type=int, help="messages of a run: 1000, with --quick 300")
    parser.add_argument("--lone", type=int, help="messages one by one, for latency: 100, with --quick 50")
    parser.add_argument("--idle", type=float, default=120, help="seconds to wait, in all, for an idle machine: 120")
    chosen = parser.parse_args(arguments)
    for name, value in (QUICK if chosen.quick else USUAL).items():
        setattr(chosen, name, getattr(chosen, name) or value)
    return chosen


def main() -> int:
    """The exit status: 1 when the benchmark could not be carried out, 130 when it was stopped."""
    if sys.argv[1:] == ["crypto"]:
        return crypto.main()
    if sys.argv[1:2] == ["web"]:
        from bench import web  # which takes the application, and no Postfix

        return web.main(sys.argv[2:])
    if os.geteuid() != 0:  # as Postfix's master has to be
        os.execvp("sudo", ["sudo", "-n", "-E", sys.executable, "-m", "bench", *sys.argv[1:]])  # noqa: S606
    chosen = options(sys.argv[1:])
    for each in STOPPING:
        signal.signal(each, _stop)
    try:
        rows = report.rows(_measure(chosen))
    except Failed as failed:
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(words.report(rows))
    if path := os.environ.get("BENCH_JSON"):
        Path(path).write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """Ends the benchmark by way of its tidying, which is not to be ended in turn."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _measure(chosen: argparse.Namespace) -> Results:
    """Everything happens in a folder that user postfix can enter; it, groups and processes are gone afterwards."""
    if missing := [each for each in TOOLS if not shutil.which(each)]:
        raise Failed(f"not installed: {' '.join(missing)}; requirements/debian bench installs it")
    network.enter()
    with ExitStack() as tidying:
        host, port = network.NAMESERVER
        tidying.enter_context(Nameserver(Zone(author.records()), host=host, port=port, ttl=3600))
        folder = Path(tempfile.mkdtemp(prefix="smtpy-bench-"))
        tidying.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        account = open_account()
        tidying.callback(account.close)
        generator = Processes(folder, account)
        tidying.callback(generator.stop_all)
        (sink_port,) = free_ports(1)
        visits = list(plan(chosen, folder, account, sink_port))
        for visit in visits:
            tidying.callback(visit.stack.stop)
        return carry_out(visits, chosen.rounds, Patience(chosen.idle), generator, sink_port)


if __name__ == "__main__":
    sys.exit(main())
