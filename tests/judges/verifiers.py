"""Four judges of signatures that are not ours: opendkim, rspamd, npm's mailauth and Perl's Mail::DKIM.

Each is given messages and says of every DKIM signature, and of the chain of ARC sets, what it thinks, in its own words
but for "pass", "fail", "none" and "unknown" (an algorithm it does not know). None of them is told what to expect.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.judges.internet import DNS, Host
from tests.judges.rspamd import Rspamd

HERE = Path(__file__).parent
OPENDKIM = """
Nameservers {dns}
Mode v
Syslog no
On-DNSError accept
MaximumSignaturesToVerify 10
"""
RESULTS = re.compile(r"hname='Authentication-Results' hvalue='([^']*)'")
RESULT = re.compile(r"dkim=(\w+)(?: reason=\"[^\"]*\")?(?: \([^)]*\))? header\.d=(\S+) [^;]*header\.s=(\S+)")
RSPAMD_DKIM = {
    "R_DKIM_ALLOW": "pass",
    "R_DKIM_REJECT": "fail",
    "R_DKIM_PERMFAIL": "permerror",
    "R_DKIM_TEMPFAIL": "temperror",
}
RSPAMD_ARC = {
    "ARC_ALLOW": "pass",
    "ARC_REJECT": "fail",
    "ARC_INVALID": "fail",
    "ARC_DNSFAIL": "temperror",
    "ARC_NA": "none",
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """`dkim` by (domain, selector); `arc` is None for who knows nothing of it."""

    dkim: Mapping[tuple[str, str], str]
    arc: str | None = None
    words: str = ""


class Panel:
    """The judges and where they sit: `verdicts(judge, messages)` for each of `JUDGES`."""

    def __init__(self, host: Host, rspamd: Rspamd, packages: Path) -> None:
        """`packages` is the folder with mailauth; the rspamd runs on a host of its own."""
        self._host, self._rspamd, self._packages = host, rspamd, packages
        self._count = 0

    def verdicts(self, judge: str, messages: Mapping[str, bytes]) -> dict[str, Opinion]:
        """What that judge says of each message."""
        files = [self._file(data) for data in messages.values()]
        return dict(zip(messages, JUDGES[judge](self, files), strict=True))

    def opendkim(self, files: Sequence[str]) -> Iterator[Opinion]:
        """The milter itself, in the test mode of opendkim(8): what it would put on top of each message."""
        settings = self._host.folder / "opendkim.conf"
        settings.write_text(OPENDKIM.format(dns=DNS))
        for file in files:
            said = self._host.run("opendkim", "-x", str(settings), "-vvv", "-t", file).decode()
            words = "".join(RESULTS.findall(said))
            yield Opinion({(d, s): result for result, d, s in RESULT.findall(words)}, None, words)

    def rspamd(self, files: Sequence[str]) -> Iterator[Opinion]:
        for found in self._rspamd.symbols(list(files), self._host.address):
            dkim = {
                tuple(option.split(":s=")): word for name, word in RSPAMD_DKIM.items() for option in found.get(name, ())
            }
            (arc,) = [word for name, word in RSPAMD_ARC.items() if name in found]
            yield Opinion(dkim, arc, str(found))

    def mailauth(self, files: Sequence[str]) -> Iterator[Opinion]:
        return self._script(["node", str(HERE / "mailauth.cjs"), str(self._packages)], files)

    def mail_dkim(self, files: Sequence[str]) -> Iterator[Opinion]:
        return self._script(["perl", str(HERE / "mail_dkim.pl")], files)

    def _script(self, command: list[str], files: Sequence[str]) -> Iterator[Opinion]:
        for each in json.loads(self._host.run(*command, *files)):
            yield Opinion({(d, s): result for d, s, result, _ in each["dkim"]}, each["arc"][0], str(each))

    def _file(self, data: bytes) -> str:
        self._count += 1
        file = self._host.folder / f"{self._count}.eml"
        file.write_bytes(data)
        return str(file)


JUDGES: dict[str, Callable[[Panel, Sequence[str]], Iterator[Opinion]]] = {
    "opendkim": Panel.opendkim,
    "rspamd": Panel.rspamd,
    "mailauth": Panel.mailauth,
    "Mail::DKIM": Panel.mail_dkim,
}
KNOW_ARC = ("rspamd", "mailauth", "Mail::DKIM")
KNOW_ED25519 = ("opendkim", "rspamd", "mailauth")


def holds(judge: str, opinion: Opinion, domain: str) -> bool:
    """Whether all that the judge knows passes: two signatures of that domain, whatever others are there, the chain."""
    ours = [result for (d, _), result in opinion.dkim.items() if d == domain]
    wanted = ["pass", "pass"] if judge in KNOW_ED25519 else ["pass", "unknown"]
    others = {result for (d, _), result in opinion.dkim.items() if d != domain}
    arc = "pass" if judge in KNOW_ARC else None
    return sorted(ours) == wanted and others <= set(wanted) and opinion.arc == arc
