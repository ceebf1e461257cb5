"""What is compared. All stacks are the Postfix of postfix/instance, so that guards, logging and limits are the same;
each changes only who the recipients' domains belong to and what Postfix asks.

Every stack relays to one sink, and knows the aliases `alias`, `1alias`, `2alias`... of one domain, which is how
smtp-source spells recipients. They lead to MAILBOXES mailboxes behind one next hop: one delivery a message.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import author
from bench.accounting import Account
from bench.machine import Failed, free_ports, until
from bench.network import HOST, NAMESERVER
from bench.processes import Processes, Service, answers, run, said_ready
from bench.seed import seed
from smtpy.mail.trace import TRACE_FIELD
from smtpy.routing.sealing import SEALER
from smtpy.signing.signature import ALGORITHMS

INSTANCE = Path(__file__).parents[1] / "postfix" / "instance"
MASTER = "/usr/lib/postfix/sbin/master"
SMTPY = str(Path(sys.executable).parent / "smtpy")
HOSTNAME = "mx.bench.example"
DOMAIN = "aliases.example"
MAILBOX_DOMAIN = "inbox.example"
SRS, MAPPED = b"MAIL FROM:<SRS0=", f"@{MAILBOX_DOMAIN}>".encode()
MAILBOXES = 500
START_SECONDS = 60.0  # rspamd compiles its expressions first
# What a Postfix that asks nobody leaves out of ours.
ASKS_NOBODY = (
    "virtual_alias_domains =",
    "virtual_alias_maps =",
    "smtpd_milters =",
    "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
    "smtpd_recipient_restrictions =",
    "transport_maps =",
)


def aliases(count: int) -> Iterator[tuple[str, str]]:
    """Local part and mailbox of each alias."""
    for number in range(count):
        yield f"{number or ''}alias", f"mailbox{number % MAILBOXES}@{MAILBOX_DOMAIN}"


class Stack:
    """Postfix and what stands beside it; by itself the bare relay. `needs`: programs without which it cannot be.

    `marks`: what each message has to show at the sink, in its envelope or text, without folds.
    """

    needs: tuple[str, ...] = ()
    marks: tuple[bytes, ...] = (f"MAIL FROM:<{author.SENDER}>".encode(), f"alias@{DOMAIN}>".encode())
    name = "bare"
    aliases = 0

    def __init__(self, folder: Path, account: Account, sink: int) -> None:
        self.folder = folder / self.label
        self.folder.mkdir(mode=0o755)
        self.processes = Processes(self.folder, account)
        self.account = account
        self.port, self._split_port = free_ports(2)
        self._sink = sink
        self._etc = self.folder / "postfix" / "etc"

    @property
    def label(self) -> str:
        """Tells it from others of the same name."""
        return f"{self.name}-{self.aliases}" if self.aliases else self.name

    def main_cf(self) -> tuple[str, ...]:
        """Settings over those of postfix/main.cf."""
        return (*ASKS_NOBODY, f"relay_domains = {DOMAIN}")

    def services(self) -> tuple[Service, ...]:
        """What runs beside Postfix."""
        return ()

    def lay(self) -> None:
        """Write all files; once."""
        values = {
            "SMTPY_RUN_DIR": str(self.folder / "run"),
            "SMTPY_HOSTNAME": HOSTNAME,
            "SMTP_LISTEN": f"{HOST}:{self.port}",
            "SPLIT_LISTEN": f"127.0.0.1:{self._split_port}",
            "RELAYHOST": f"[127.0.0.1]:{self._sink}",
        }
        run([str(INSTANCE), str(self._etc.parent)], {**os.environ, **values})
        if lines := self.main_cf():
            run(["postconf", "-c", str(self._etc), "-e", *lines])

    def start(self) -> None:
        """All processes up and ready."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith("SMTPY_")}
        environ["SMTPY_CONFIG"] = str(self.folder / "smtpy.toml")
        postfix = Service("postfix", (MASTER, "-s", "-c", str(self._etc)), answers((HOST, self.port)))
        for services in (self.services(), (postfix,)):
            ready = [self.processes.start(each, environ) for each in services]
            for service, is_ready in zip(services, ready, strict=True):
                until(is_ready, f"{self.label}: {service.component} ready", START_SECONDS)

    def stop(self) -> None:
        """All processes down."""
        self.processes.stop_all()

    @property
    def components(self) -> tuple[str, ...]:
        """What its processor time is counted by."""
        return ("postfix", *(each.component for each in self.services()))

    def queued(self) -> bool:
        """Whether Postfix still has a message; by its files, since asking showq would be counted."""
        queues = (self._etc.parent / "queue" / each for each in ("incoming", "active", "deferred"))
        return any(files for queue in queues for _, _, files in os.walk(queue))

    def failed(self, what: str) -> Failed:
        """An error with what Postfix's log has against it."""
        log = self._etc.parent / "log" / "mail.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        telling = [each for each in lines if re.search("warning|fatal|panic|reject|status=(deferred|bounced)", each)]
        return Failed("\n".join([f"{self.label}: {what}", *telling[-8:]]))


class Smtpy(Stack):
    """The whole mail path as it is installed: lookup, policy, milter with SRS, journal; SQLite. The domain's keys are
    in use, so that every message is judged, signed twice and sealed.
    """

    name = "smtpy"
    marks = (
        *(SRS, MAPPED, TRACE_FIELD.encode()),
        *(f"DKIM-Signature: v=1; a={each}; c=relaxed/relaxed; d={DOMAIN};".encode() for each in ALGORITHMS),
        *(f"ARC-Seal: a={SEALER};".encode(), f"ARC-Message-Signature: a={SEALER};".encode()),
        f"Authentication-Results: {HOSTNAME}; spf=pass smtp.mailfrom={author.DOMAIN}; dkim=pass".encode(),
        f"dmarc=pass header.from={author.DOMAIN} policy.dmarc=reject".encode(),
    )

    def __init__(self, folder: Path, account: Account, sink: int, rows: int) -> None:
        self.aliases = rows
        super().__init__(folder, account, sink)

    def main_cf(self) -> tuple[str, ...]:
        return ()

    def services(self) -> tuple[Service, ...]:
        return tuple(Service(each, (SMTPY, each), said_ready) for each in ("lookup", "policy", "milter"))

    def lay(self) -> None:
        super().lay()
        state, config = self.folder / "state", self.folder / "smtpy.toml"
        made_by = {
            "--config": str(config),
            "--hostname": HOSTNAME,
            "--postmaster": f"postmaster@{MAILBOX_DOMAIN}",
            "--state-dir": str(state),
            "--run-dir": str(self.folder / "run"),
        }
        run([SMTPY, "init", *(word for pair in made_by.items() for word in pair)])
        with config.open("a", encoding="ascii") as file:
            file.write('dns_servers = ["{}:{}"]\n'.format(*NAMESERVER))
        seed(state / "smtpy.db", self.aliases, DOMAIN, [f"mailbox{n}@{MAILBOX_DOMAIN}" for n in range(MAILBOXES)])
        for act in (("rotate",), ("use", "--now")):
            run([SMTPY, "--config", str(config), "key", *act, DOMAIN])
