"""A rspamd that knows SPF, DKIM, DMARC and ARC and nothing else: no tables of bad addresses, no statistics, no Redis.

It rejects by score, as a large receiver does: a DMARC policy of "reject" weighs so much that it alone decides, unless
a sealer that is trusted has seen DMARC pass before the message was changed (arc.lua's adjust_dmarc). Rejection by
dmarc.lua's own `actions` would be forced, and ignore ARC.
"""

import json

from tests.judges.internet import DNS, Host

CONFIGURATION = """
lua = "$RULESDIR/rspamd.lua";
options {{
  filters = "dkim";
  dns {{ nameserver = ["{dns}"]; timeout = 1s; retransmits = 2; enable_dnssec = false; }}
  local_addrs = [127.0.0.0/8];
  # Ten thousand suffixes, and expressions compiled for matching them, are ten seconds at start.
  url_tld = "{folder}/suffixes";
  disable_hyperscan = true;
  pidfile = "{folder}/pid";
  tempdir = "{folder}";
  cache_file = "{folder}/cache";
  hs_cache_dir = "{folder}/";
  control_socket = "{folder}/control mode=0600";
}}
logging {{ type = "console"; level = "notice"; }}
worker "normal" {{ bind_socket = "127.0.0.1:11333"; count = 1; }}
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:11332"; count = 1; milter = yes; upstream "local" {{ default = yes; self_scan = yes; }}
}}
actions {{ reject = 60; add_header = 50; greylist = null; }}
group "policies" {{ symbols {{ "DMARC_POLICY_REJECT" {{ weight = 90.0; }} }} }}
modules {{
  path = "$PLUGINSDIR/arc.lua";
  path = "$PLUGINSDIR/dmarc.lua";
  path = "$PLUGINSDIR/milter_headers.lua";
  path = "$PLUGINSDIR/spf.lua";
}}
arc {{ whitelisted_signers_map = [{trusted}]; }}
dkim {{ }}
dmarc {{ reporting {{ enabled = false; }} }}
milter_headers {{ use = ["authentication-results"]; skip_local = false; skip_authenticated = false; }}
spf {{ }}
"""
USER = "_rspamd"
MILTER = "inet:127.0.0.1:11332"


class Rspamd:
    """`trusted` are the sealers whose word on DMARC is taken."""

    def __init__(self, host: Host, trusted: tuple[str, ...] = ()) -> None:
        self.host = host
        self._trusted = trusted

    def start(self) -> None:
        """Run; returns when it takes questions."""
        folder = self.host.folder / "rspamd"
        folder.mkdir()
        (folder / "suffixes").write_text("example\n")
        trusted = ", ".join(f'"{each}"' for each in self._trusted)
        configuration = folder / "rspamd.conf"
        configuration.write_text(CONFIGURATION.format(dns=DNS, folder=folder, trusted=trusted))
        self.host.run("chown", "-R", USER, str(folder))
        self.host.start("rspamd", "-c", str(configuration), "-u", USER, "-g", USER, "--no-fork", "--insecure")
        for port in (11332, 11333):
            self.host.wait_listening(port)

    def symbols(self, files: list[str], client: str) -> list[dict[str, list[str]]]:
        """What it finds in each message, as if it had come from that address: symbols and their options."""
        said = self.host.run("rspamc", "--json", "--connect=127.0.0.1:11333", f"--ip={client}", *files).decode()
        found: dict[str, dict[str, list[str]]] = {}
        reader = json.JSONDecoder()
        while said := said.strip():
            answer, end = reader.raw_decode(said)
            found[answer["filename"]] = {name: each.get("options", []) for name, each in answer["symbols"].items()}
            said = said[end:]
        return [found[each] for each in files]
