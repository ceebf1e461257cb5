"""The peers: aliases in Postfix's own maps, beside opendkim and postsrsd, or beside rspamd.

They do what such set-ups do: both sign for the aliases' domain (DKIM, rspamd ARC too, and it verifies what came), the
first rewrites senders. None keeps a journal. UNIX sockets wherever the program has them, as postsrsd 1.x has not.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent

from bench.accounting import Account
from bench.machine import free_ports
from bench.network import NAMESERVER
from bench.processes import Service, answers, run
from bench.stacks import ASKS_NOBODY, DOMAIN, MAPPED, SRS, Stack, aliases

SELECTOR = "bench"
SIGNED = f"d={DOMAIN}; s={SELECTOR};".encode()
OPENDKIM = """\
    Syslog no
    UserID opendkim
    UMask 000
    Mode s
    Canonicalization relaxed/relaxed
    OversignHeaders From
    InternalHosts 0.0.0.0/0
    RequireSafeKeys no
    Socket local:{folder}/opendkim.sock
    KeyTable refile:{folder}/key.table
    SigningTable refile:{folder}/signing.table
"""
# rspamd without what scores or asks the network: a milter that signs and seals.
RSPAMD = """\
    lua = "$RULESDIR/rspamd.lua"
    modules {{ path = "${{PLUGINSDIR}}"; }}
    options {{
      pidfile = "{folder}/rspamd.pid";
      control_socket = "{folder}/control.sock mode=0600";
      cache_file = "{folder}/symbols.cache";
      history_file = "{folder}/history";
      stats_file = "{folder}/stats.ucl";
      dynamic_conf = "{folder}/dynamic.conf";
      hs_cache_dir = "{folder}/";
      tempdir = "{folder}";
      url_tld = "${{SHAREDIR}}/effective_tld_names.dat";
      filters = "dkim";
      explicit_modules = ["settings", "bayes_expiry"];
      local_addrs = ["127.0.0.0/8"];
      dns {{ nameserver = ["{nameserver}"]; }}
    }}
    logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "info"; }}
    actions {{ reject = null; add_header = null; greylist = null; }}
    worker "rspamd_proxy" {{
      bind_socket = "{folder}/rspamd.sock mode=0666";
      milter = yes;
      timeout = 120s;
      count = 2;
      upstream "local" {{ default = yes; self_scan = yes; }}
    }}
    dkim_signing {{ check_pubkey = false; {signing} }}
    arc {{ {signing} }}
"""
SIGNING = """
      enabled = true;
      sign_local = true;
      sign_inbound = true;
      allow_hdrfrom_mismatch = true;
      allow_hdrfrom_mismatch_local = true;
      allow_username_mismatch = true;
      use_domain = "recipient";
      use_domain_sign_local = "recipient";
      use_domain_sign_inbound = "recipient";
      domain {{ {domain} {{ path = "{key}"; selector = "{selector}"; }} }}
    """


class Mapped(Stack):
    """Aliases in lmdb maps; beside Postfix a milter, in a folder of its own."""

    user = ""
    socket = ""

    def __init__(self, folder: Path, account: Account, sink: int, rows: int) -> None:
        self.aliases = rows
        super().__init__(folder, account, sink)
        self.beside = self.folder / "beside"
        self.milter = str(self.beside / self.socket)

    def main_cf(self) -> tuple[str, ...]:
        maps = [f"virtual_alias_{each} = lmdb:{self.folder}/{each}" for each in ("domains", "maps")]
        return (*ASKS_NOBODY, *maps, f"smtpd_milters = unix:{self.milter}")

    def lay(self) -> None:
        super().lay()
        self._map("domains", [(DOMAIN, "ok")])
        self._map("maps", ((f"{local}@{DOMAIN}", mailbox) for local, mailbox in aliases(self.aliases)))
        self.beside.mkdir()
        run(["openssl", "genrsa", "-traditional", "-out", str(self.beside / "key"), "2048"])
        for name, text in self.files().items():
            (self.beside / name).write_text(text, encoding="ascii")
        for each in (self.beside, *self.beside.iterdir()):
            shutil.chown(each, self.user)

    def files(self) -> dict[str, str]:
        """The configuration of what stands beside, by name; the signing key is there as `key`."""
        return {}

    def _map(self, name: str, rows: Iterable[tuple[str, str]]) -> None:
        source = self.folder / name
        with source.open("w", encoding="ascii") as file:
            file.writelines(f"{key} {value}\n" for key, value in rows)
        run(["postmap", "-c", str(self._etc), f"lmdb:{source}"])


class Diy(Mapped):
    """Postfix maps, opendkim (RSA 2048) and postsrsd."""

    name = "diy-lmdb"
    marks = (SRS, MAPPED, SIGNED)
    needs = ("opendkim", "postsrsd", "openssl")
    user = "opendkim"
    socket = "opendkim.sock"

    def __init__(self, folder: Path, account: Account, sink: int, rows: int) -> None:
        super().__init__(folder, account, sink, rows)
        self._forward, self._reverse = free_ports(2)

    def main_cf(self) -> tuple[str, ...]:
        return (
            *super().main_cf(),
            f"sender_canonical_maps = tcp:127.0.0.1:{self._forward}",
            "sender_canonical_classes = envelope_sender",
            f"recipient_canonical_maps = tcp:127.0.0.1:{self._reverse}",
            "recipient_canonical_classes = envelope_recipient, header_recipient",
        )

    def files(self) -> dict[str, str]:
        return {
            "opendkim.conf": dedent(OPENDKIM).format(folder=self.beside),
            "key.table": f"bench {DOMAIN}:{SELECTOR}:{self.beside}/key\n",
            "signing.table": "* bench\n",
            "srs.secret": "a-secret-for-the-benchmark\n",
        }

    def services(self) -> tuple[Service, ...]:
        opendkim = ("opendkim", "-f", "-x", f"{self.beside}/opendkim.conf")
        srs = ("-4", f"-s{self.beside}/srs.secret", f"-d{DOMAIN}", "-l127.0.0.1")
        ports = (f"-f{self._forward}", f"-r{self._reverse}", "-upostsrsd")
        return (
            Service("opendkim", opendkim, answers(self.milter)),
            Service("postsrsd", ("postsrsd", *srs, *ports), answers(("127.0.0.1", self._forward))),
        )


class Rspamd(Mapped):
    """Postfix maps, and rspamd with nothing on but DKIM signing and ARC sealing."""

    name = "rspamd"
    marks = (MAPPED, SIGNED, b"ARC-Seal:")
    needs = ("rspamd", "openssl")
    user = "_rspamd"
    socket = "rspamd.sock"

    def files(self) -> dict[str, str]:
        signing = SIGNING.format(domain=DOMAIN, key=self.beside / "key", selector=SELECTOR)
        return {
            "rspamd.conf": dedent(RSPAMD).format(
                folder=self.beside, signing=signing, nameserver=":".join(map(str, NAMESERVER))
            )
        }

    def services(self) -> tuple[Service, ...]:
        command = ("rspamd", "-f", "-i", "-c", f"{self.beside}/rspamd.conf", "-u", self.user, "-g", self.user)
        return (Service("rspamd", command, answers(self.milter)),)
