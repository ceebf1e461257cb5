"""A whole SMTPy on a host, as an operator would set one up: real services, and Postfix from postfix/instance on port
25, which delivers by MX. What its domains publish is what `smtpy domain dns` prints, and it is `smtpy domain check`
that sees this in DNS and puts the keys to use.

One thing is not as it would be: between the passes stands `footing`.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from smtpy.admin import aliases, domains, mailboxes, members
from smtpy.admin.change import change
from smtpy.config import load
from smtpy.store.engine import open_engine
from smtpy.terms import vault_of
from tests.judges.internet import DNS, Host
from tests.judges.names import Names
from tests.stand import INSTANCE, MASTER, SERVICES
from tests.waiting import until

SMTPY = str(Path(sys.executable).parent / "smtpy")
OWNER = "owner@kept.example"
FOOTING = 2527  # port


class Forwarder:
    """`keyless` are domains that publish nothing but where their mail goes, so that they never sign."""

    def __init__(self, host: Host, hostname: str, aliases: Mapping[str, str], keyless: tuple[str, ...] = ()) -> None:
        """`aliases`: the mailbox of each."""
        self.host, self.hostname = host, hostname
        self.folder = host.folder / "smtpy"
        self._aliases, self._keyless = aliases, keyless
        self._environ = {key: value for key, value in os.environ.items() if not key.startswith("SMTPY_")}
        self._environ |= {
            "SMTPY_CONFIG": str(self.folder / "smtpy.toml"),
            "SMTPY_DNS_SERVERS": DNS,
            "SMTPY_CHECK_RESOLVERS": DNS,
            "SMTPY_TRUSTED_SEALERS": "list.example",
        }

    def start(self, names: Names) -> None:
        """Set it up and run; returns when it takes mail."""
        for each in ("run", "state"):
            (self.folder / each).mkdir(parents=True)
        self.cli(
            *("init", "--hostname", self.hostname, "--postmaster", OWNER),
            *("--state-dir", str(self.folder / "state"), "--run-dir", str(self.folder / "run")),
        )
        self._declare()
        self._in_dns(names)
        for each in SERVICES:
            self.host.start(SMTPY, each, **self._environ)
        self._write_instance()
        until(lambda: self.host.log().count(": ready: ") >= len(SERVICES), "services ready", 60)
        self.host.start(MASTER, "-s", "-c", str(self.folder / "postfix/etc"))
        for port in (25, 2526):
            self.host.wait_listening(port)

    def _declare(self) -> None:
        settings = load(self.folder / "smtpy.toml", self._environ)
        engine = open_engine(settings.database_url)
        try:
            with change(engine, by="test:judges", vault=vault_of(settings)) as c:
                members.add(c, OWNER)
                for domain in self._domains():
                    domains.add(c, domain, owner=OWNER)
                for mailbox in set(self._aliases.values()):
                    mailboxes.add(c, mailbox, owner=OWNER, verified=True)
                for alias, mailbox in self._aliases.items():
                    aliases.add(c, alias, to=(mailbox,))
        finally:
            engine.dispose()

    def _domains(self) -> list[str]:
        return sorted({alias.rpartition("@")[2] for alias in self._aliases})

    def _in_dns(self, names: Names) -> None:
        names.host(self.host, self.hostname)
        for domain in self._domains():
            if domain in self._keyless:
                names.publish(f"{domain}. MX 10 {self.hostname}.")
            else:
                self.publish(names, domain)

    def publish(self, names: Names, domain: str) -> None:
        """Do as its owner is told to, and have it checked."""
        printed = self.cli("domain", "dns", domain, "--format", "zone").splitlines()
        # Local data of unbound lead from no name to another; the CNAME is of no use to mail.
        names.publish(*(line for line in printed if line[:1] not in ("", ";") and " CNAME " not in line))
        self.cli("domain", "check", domain)

    def selectors(self, domain: str) -> set[str]:
        """Those of the keys in use."""
        listed = json.loads(self.cli("key", "list", domain, "--json"))
        return {each["selector"] for each in listed if each["state"] == "used"}

    def _write_instance(self) -> None:
        values = {
            "SMTPY_RUN_DIR": str(self.folder / "run"),
            "SMTPY_HOSTNAME": self.hostname,
            "SMTP_LISTEN": f"{self.host.address}:25",
        }
        self.host.run("env", *map("=".join, values.items()), INSTANCE, str(self.folder / "postfix"))
        footing = f"inet:127.0.0.1:{FOOTING}"
        self.host.start(sys.executable, "-m", "tests.judges.footing", f"inet:{FOOTING}@127.0.0.1")
        self.host.wait_listening(FOOTING)
        milters = f"127.0.0.1:2526/inet/smtpd_milters={footing},unix:{self.folder}/run/milter.sock"
        self.host.run("postconf", "-c", str(self.folder / "postfix/etc"), "-P", milters)

    def cli(self, *arguments: str, check: bool = True) -> str:
        """Run `smtpy` on the host; what it printed."""
        environ = [f"{key}={value}" for key, value in self._environ.items() if key.startswith("SMTPY_")]
        return self.host.run("env", *environ, SMTPY, *arguments, check=check).decode()

    def fates(self, mark: str, number: int) -> list[str]:
        """How that many deliveries of the message with that Message-ID ended: "sent (...)", "bounced (...)"."""

        def found() -> list[str]:
            log = (self.folder / "postfix/log/mail.log").read_text(errors="replace")
            ids = re.findall(rf"(\w+): message-id=<{re.escape(mark)}>", log)
            return [fate for each in ids for fate in re.findall(rf" {each}: to=.*relay=(?!127).* status=(.*)", log)]

        until(lambda: len(found()) >= number, f"{number} deliveries of {mark}")
        return found()
