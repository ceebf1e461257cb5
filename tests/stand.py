"""A whole SMTPy on free ports, as a pytest plugin: real Postfix, real services, and the rest of the world.

That is an inbox, and a DNS whose zone is empty until a test fills it.

`stand` lives as long as the session, for tests that break nothing; `own_stand(...)` makes one for tests that do.
Everything lies in a folder of its own which user postfix can enter (pytest's are closed to it), and every process is
stopped by its id at the end; should pytest itself be killed, the kernel tells them (PR_SET_PDEATHSIG).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.dialog import Answers, Dialog
from tests.dns import Zone
from tests.inbox import Inbox
from tests.nameserver import Nameserver
from tests.waiting import free_ports, until

HOSTNAME, SECOND = "mx.our.example", "mx2.our.example"
POSTMASTER = "postmaster@inbox.example"
SERVICES = ("lookup", "policy", "milter")
SMTPY = str(Path(sys.executable).parent / "smtpy")
INSTANCE = str(Path(__file__).parents[1] / "postfix" / "instance")
WEB = (sys.executable, "-m", "gunicorn", "--config", "python:web.gunicorn", "web.wsgi:app")
MASTER = "/usr/lib/postfix/sbin/master"
# Postfix's master takes other rights for a moment, so the kernel forgets to tell it (prctl(2)); a shell hears it.
GUARDED = ("sh", "-c", '"$@" & trap "kill $!" TERM; wait $! || wait $!', "postfix")
ROOT = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
# What answers in the place of a service that a test leaves out: one alias, which is there, and no questions asked.
STUBS = {
    "lookup": (
        "virtual_alias_domains = our.example",
        "virtual_alias_maps = inline:{ { alias@our.example = mailbox@inbox.example } }",
    ),
    "policy": (
        "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
        "smtpd_recipient_restrictions = check_recipient_access $smtpy_internal_domains",
    ),
    "milter": ("smtpd_milters =",),
}


class Stand:
    """`services` are those of SMTPy to run; Postfix gets a stub for the others, if `stubs`. See `start` and `send`."""

    def __init__(
        self,
        services: tuple[str, ...] = SERVICES,
        *,
        database_url: str | None = None,
        settings: Mapping[str, str] | None = None,
        postfix: tuple[str, ...] = (),
        stubs: tuple[str, ...] = SERVICES,
        beside: "Stand | None" = None,
    ) -> None:
        """`settings` are SMTPY_* variables, prefix and all; `postfix` are lines for main.cf.

        `beside`: another stand that is up, whose second host this is: same secrets, and the same inbox behind.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="smtpy-stand-"))
        self.folder.chmod(0o755)
        self.services = services
        self.port, self.split_port, inbox_port = free_ports(3)
        self.address, self.hostname = ("127.0.0.3", SECOND) if beside else ("127.0.0.1", HOSTNAME)
        self.beside = beside
        self.inbox = beside.inbox if beside else Inbox(inbox_port)
        self.config = self.folder / "smtpy.toml"
        self.etc = self.folder / "postfix" / "etc"
        self.zone = Zone({})
        self._nameserver = Nameserver(self.zone, ttl=1, negative_ttl=1)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("SMTPY_")}
        self.environ = {**inherited, "SMTPY_CONFIG": str(self.config), **(settings or {})}
        if "worker" in services:
            self.environ.setdefault("SMTPY_POSTFIX_LOG", str(self.mail_log))
        if "web" in services:
            (self.web_port,) = free_ports(1)
            self.environ |= {
                "SMTPY_WEB_ORIGIN": self.origin,
                "SMTPY_WEB_BIND": f"127.0.0.1:{self.web_port}",
                "SMTPY_NOTICE_SERVER": f"inet:127.0.0.1:{self.port}",
            }
        self._database_url = database_url
        self._postfix, self._stubs = postfix, stubs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._said_before: dict[str, int] = {}  # octets of its log

    @property
    def origin(self) -> str:
        """Where the web pages are, if they are among the services."""
        return f"http://localhost:{self.web_port}"

    @property
    def mail_log(self) -> Path:
        """Postfix's log, which the worker follows."""
        return self.etc.parent / "log" / "mail.log"

    # --- Coming and going ---------------------------------------------------------------------------------------

    def open(self) -> None:
        """Everything up and ready for mail."""
        if self.beside:
            shutil.copytree(self.beside.folder / "secrets", self.folder / "secrets")
        else:
            self.inbox.start()
        self._nameserver.__enter__()
        nameserver = f"{self._nameserver.host}:{self._nameserver.port}"
        self.environ = {"SMTPY_DNS_SERVERS": nameserver, "SMTPY_CHECK_RESOLVERS": nameserver, **self.environ}
        for each in ("run", "state", "log"):
            (self.folder / each).mkdir()
        if self.services:
            self._init()
        self._write_instance()
        for name in (*self.services, "postfix"):
            self._launch(name)
        for name in (*self.services, "postfix"):
            self._wait_ready(name)

    def close(self) -> None:
        """Everything down and the folder gone, whatever has failed before."""
        with ExitStack() as last_to_first:
            last_to_first.callback(subprocess.run, [*ROOT, "rm", "-rf", str(self.folder)], check=True)
            last_to_first.callback(self._nameserver.__exit__)
            if not self.beside:
                last_to_first.callback(self.inbox.stop)
            for name, process in self._processes.items():
                if process.poll() is None:
                    last_to_first.callback(self.stop if name == "postfix" else self.kill, name)

    def _init(self) -> None:
        url = ["--database-url", self._database_url] if self._database_url else []
        made = self.cli(
            *("init", "--config", str(self.config), "--hostname", self.hostname, "--postmaster", POSTMASTER),
            *("--state-dir", str(self.folder / "state"), "--run-dir", str(self.folder / "run"), *url),
        )
        assert made.returncode == 0, made.stdout + made.stderr

    def _write_instance(self) -> None:
        values = {
            "SMTPY_RUN_DIR": str(self.folder / "run"),
            "SMTPY_HOSTNAME": self.hostname,
            "SMTP_LISTEN": f"{self.address}:{self.port}",
            "SPLIT_LISTEN": f"127.0.0.1:{self.split_port}",
            "RELAYHOST": f"[127.0.0.1]:{self.inbox.port}",
        }
        stubs = [line for name in self._stubs if name not in self.services for line in STUBS[name]]
        environ = map("=".join, values.items())
        instance = [INSTANCE, str(self.etc.parent), *stubs, *self._postfix]
        subprocess.run([*ROOT, "env", *environ, *instance], check=True)

    # --- Processes: lookup, policy, milter, postfix -------------------------------------------------------------

    def start(self, name: str, *arguments: str) -> None:
        """Start it and wait until it is ready; `arguments` follow the service's name."""
        self._launch(name, *arguments)
        self._wait_ready(name)

    def _launch(self, name: str, *arguments: str) -> None:
        assert name not in self._processes, f"{name} runs already"
        commands = {
            "postfix": [*ROOT, *GUARDED, MASTER, "-s", "-c", str(self.etc)],
            "queue": [*ROOT, SMTPY, "queue", "serve", "--postfix", str(self.etc)],
            "web": [*WEB],
        }
        command = commands.get(name, [SMTPY, name])
        with self._log(name).open("ab") as out:
            self._said_before[name] = out.tell()
            self._processes[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command, *arguments],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _wait_ready(self, name: str) -> None:
        def said() -> str:
            return self._log(name).read_bytes()[self._said_before[name] :].decode(errors="replace")

        def ready() -> bool:
            if (status := self._processes[name].poll()) is not None:
                del self._processes[name]
                raise ChildProcessError(f"{name} ended with {status}:\n{said() or self.maillog()}")
            if name == "postfix":
                return self._greets()
            return ("Booting worker" if name == "web" else "ready") in said()

        try:
            until(ready, f"{name} ready")
        except TimeoutError as error:
            error.add_note(said() + self.maillog())
            raise

    def stop(self, name: str, timeout: float = 20.0) -> int:
        """SIGTERM to the process itself, as a supervisor does; its exit status."""
        self.signal(name, signal.SIGTERM, group=False)
        return self._reap(name, timeout)

    def kill(self, name: str) -> None:
        """SIGKILL to the process and its workers."""
        self.signal(name, signal.SIGKILL)
        self._reap(name, 10.0)

    def signal(self, name: str, number: signal.Signals, *, group: bool = True) -> None:
        """A signal to the process, and to its workers with `group`: SIGSTOP makes a hung service, SIGCONT heals it."""
        pid = self.pid(name)
        if ROOT and name in ("postfix", "queue"):
            subprocess.run([*ROOT, "kill", f"-{int(number)}", str(pid)], check=True)
        elif group and name != "postfix":  # master's daemons end by themselves when it does
            os.killpg(pid, number)
        else:
            os.kill(pid, number)

    def runs(self, name: str) -> bool:
        """Whether it was started and not stopped since."""
        return name in self._processes

    def pid(self, name: str) -> int:
        """The process id: of the milter's parent, of Postfix's master."""
        if name == "postfix":
            return int(self._as_root("cat", str(self.etc.parent / "queue/pid/master.pid")))
        return self._processes[name].pid

    def workers(self, name: str) -> list[int]:
        """The ids of its children."""
        pid = self.pid(name)
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _reap(self, name: str, timeout: float) -> int:
        status = self._processes[name].wait(timeout)
        del self._processes[name]
        return status

    def _greets(self) -> bool:
        try:
            with Dialog(self.port, timeout=5.0, server=self.address) as dialog:
                return dialog.answer().code == 220
        except OSError:
            return False

    # --- Using it -----------------------------------------------------------------------------------------------

    def dialog(self, *, client: str = "127.0.0.1") -> Dialog:
        """A connection to the front. From 127.0.0.1 we are in mynetworks; from 127.0.0.2 the outside world."""
        return Dialog(self.port, client=client, server=self.address)

    def send(
        self, sender: str, recipients: list[str], data: bytes, *, client: str = "127.0.0.2", parameters: str = ""
    ) -> Answers:
        """One message by SMTP, with every answer."""
        with self.dialog(client=client) as dialog:
            dialog.hello()
            answers = dialog.transaction(sender, recipients, data, parameters=parameters)
            dialog.command("QUIT")
            return answers

    def cli(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `smtpy` with these arguments and this stand's configuration."""
        return subprocess.run(
            [SMTPY, *arguments], env=self.environ, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )

    def declare(self, alias: str, *mailboxes: str, owner: str = "owner@inbox.example") -> None:
        """An alias that leads to these mailboxes; what it takes besides is added if it is not there."""
        domain = alias.rpartition("@")[2]
        acts = [("user", "add", owner), ("domain", "add", domain, "--owner", owner)]
        acts += [("mailbox", "add", each, "--owner", owner) for each in mailboxes]
        acts += [("alias", "add", alias, *(part for each in mailboxes for part in ("--to", each)))]
        for act in acts:
            done = self.cli(*act)
            assert done.returncode in {os.EX_OK, os.EX_CANTCREAT}, (act, done.stderr)

    def queue(self) -> list[dict[str, Any]]:
        """Postfix's queue, as postqueue -j tells it."""
        return [json.loads(line) for line in self._as_root("postqueue", "-c", str(self.etc), "-j").splitlines()]

    def flush(self) -> None:
        """Try all of the queue now."""
        self._as_root("postqueue", "-c", str(self.etc), "-f")

    def release(self, queue_id: str) -> None:
        """Let a message go that is held."""
        self._as_root("postsuper", "-c", str(self.etc), "-H", queue_id)
        self.flush()

    def configure(self, *lines: str) -> None:
        """Other lines for main.cf, which Postfix takes up soon."""
        self._as_root("postconf", "-c", str(self.etc), "-e", *lines)
        self.reload()

    def reload(self) -> None:
        """Have Postfix read everything again; its master gets to it a moment later."""
        self._as_root("postfix", "-c", str(self.etc), "reload")

    def wait_empty(self, timeout: float = 20.0) -> None:
        """Until Postfix has nothing left to do."""
        until(lambda: not self.queue(), "queue empty", timeout)

    def maillog(self) -> str:
        """Postfix's log."""
        return self._as_root("sh", "-c", f"! test -e {self.mail_log} || cat {self.mail_log}")

    def log(self, name: str) -> str:
        """What a service has printed."""
        return self._log(name).read_text(errors="replace")

    def _log(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"

    def _as_root(self, *command: str) -> str:
        return subprocess.run([*ROOT, *command], check=True, capture_output=True, text=True, errors="replace").stdout


StandFactory = Callable[..., Stand]  # takes what Stand takes, gives one that is open


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """One whole SMTPy for the session: break nothing in it, and use aliases of your own."""
    one = Stand()
    try:
        one.open()
        yield one
    finally:
        one.close()


@pytest.fixture
def own_stand() -> Iterator[StandFactory]:
    """Makes stands which end with the test."""
    made: list[Stand] = []

    def make(*arguments: Any, **options: Any) -> Stand:
        made.append(Stand(*arguments, **options))
        made[-1].open()
        return made[-1]

    try:
        yield make
    finally:
        for each in made:
            each.close()
