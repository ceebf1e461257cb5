"""What Postfix's configuration has to say, each with the reason, and whether it says so.

Reads a configuration by postconf(1) alone, with all `$names` filled in; changes nothing. What postfix/main.cf sets for
comfort is not asked for here, only what mail would be lost, leaked or refused without.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from smtpy.config import Settings
from smtpy.doctor.listeners import Listener, listeners
from smtpy.net import Endpoint
from smtpy.routing.internal import DROP_DOMAIN, SPLIT_DOMAIN

Check = Callable[[str], bool]
SECONDS = 20  # for one postconf


class NoPostfix(Exception):
    """There is no configuration to look at; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Need:
    """`name` must satisfy `check`; `wanted` says how in main.cf's words, `reason` why."""

    name: str
    wanted: str
    check: Check
    reason: str


def _is(*values: str) -> Check:
    return lambda text: text in values


def _holds(*parts: str) -> Check:
    return lambda text: any(part in text for part in parts)


def _lists(word: str) -> Check:
    return lambda text: word in text.replace(",", " ").split()


def _lacks(word: str) -> Check:
    return lambda text: not _lists(word)(text)


def _at_least(limit: int) -> Check:
    return lambda text: text.isdigit() and int(text) >= limit


def _at_most(limit: int) -> Check:
    return lambda text: text.isdigit() and 0 < int(text) <= limit


def _lookup(endpoints: tuple[Endpoint, ...], table: str) -> tuple[str, Check]:
    return f"socketmap:{endpoints[0]}:{table}", _holds(*(f"socketmap:{each}:{table}" for each in endpoints))


def needs(settings: Settings) -> tuple[Need, ...]:
    """What main.cf has to say: what stands on a setting of ours, and MAIN."""
    host, milter, size = settings.hostname, str(settings.milter_listen), settings.message_size_limit
    policies = [f"check_policy_service {part}{each}" for each in settings.policy_listen for part in ("", "{ ", "{")]
    return (
        Need("virtual_alias_domains", *_lookup(settings.lookup_listen, "domains"), "else our domains are not ours"),
        Need("virtual_alias_maps", *_lookup(settings.lookup_listen, "aliases"), "else aliases lead nowhere"),
        Need("smtpd_milters", milter, _lists(milter), "else senders are not rewritten and mail fails SPF"),
        Need("smtpd_recipient_restrictions", policies[0], _holds(*policies), "else nothing is refused by RCPT TO"),
        Need("myhostname", host, _is(host), "roles of the host are found by this name"),
        Need(
            "mydestination", f"without {host}", _lacks(host), "lookup answers for this name; one domain has one class"
        ),
        Need("message_size_limit", f"{size} or less", _at_most(size), "else the milter refuses what RCPT TO took"),
        *MAIN,
    )


_RELAY = ("reject_unauth_destination", "defer_unauth_destination")
_NO_MAPPING = "it would undo return addresses or keep the milter from finding a recipient again"
_ANOTHER = "an address would become another"
MAIN = (
    Need("milter_default_action", "tempfail", _is("tempfail"), "else mail passes unprocessed while it is down"),
    Need("smtpd_relay_restrictions", _RELAY[0], _holds(*_RELAY), "else this is an open relay"),
    Need("strict_rfc821_envelopes", "yes", _is("yes"), "else one path is two addresses to two readers"),
    Need("recipient_delimiter", "empty", _is(""), "extensions are ours to find"),
    Need(
        "smtpd_forbid_bare_newline",
        "normalize",
        _is("normalize", "reject", "yes"),
        "else SMTP smuggling works (CVE-2023-51764)",
    ),
    Need("smtpd_forbid_unauth_pipelining", "yes", _is("yes"), "else SMTP smuggling works"),
    Need("smtputf8_enable", "yes", _is("yes"), "else mail from and to addresses beyond ASCII is refused"),
    Need("enable_long_queue_ids", "yes", _is("yes"), "short queue ids come again; the journal needs names"),
    Need("smtpd_discard_ehlo_keywords", "dsn", _lists("dsn"), "NOTIFY=SUCCESS would tell the mailbox"),
    Need("smtp_discard_ehlo_keywords", "dsn", _lists("dsn"), "ORCPT would tell the alias to the next hop"),
    Need("transport_maps", f"for {SPLIT_DOMAIN}", _holds(SPLIT_DOMAIN), "copies for the second pass go there"),
    Need("transport_maps", f"for {DROP_DOMAIN}", _holds(DROP_DOMAIN), "what owners drop goes there"),
    Need("split_destination_recipient_limit", "1", _is("1"), "the second pass takes one recipient at a time"),
    Need("canonical_maps", "empty", _is(""), _NO_MAPPING),
    Need("sender_canonical_maps", "empty", _is(""), _NO_MAPPING),
    Need("recipient_canonical_maps", "empty", _is(""), _NO_MAPPING),
    Need("swap_bangpath", "no", _is("no"), _ANOTHER),
    Need("allow_percent_hack", "no", _is("no"), _ANOTHER),
)

# What master.cf has to say of the second smtpd. Whatever the front took is owed to its recipients, and a copy is larger
# than what the front measured by our trace field and a Received: so here nothing may be refused for its size.
_NO_LIMIT = "a copy is larger than its message; a limit would bounce it to an internal address"
SECOND_PASS = (
    Need("milter_macro_daemon_name", "split", _is("split"), "the milter knows the second pass by it"),
    Need("relay_domains", SPLIT_DOMAIN, _holds(SPLIT_DOMAIN), "else copies are refused"),
    Need(
        "receive_override_options", "no_address_mappings", _lists("no_address_mappings"), "else mail is expanded twice"
    ),
    Need("virtual_alias_domains", "empty", _is(""), "else copies are looked up as aliases"),
    Need("virtual_alias_maps", "empty", _is(""), "else copies are looked up as aliases"),
    Need("message_size_limit", "0", _is("0"), _NO_LIMIT),
    Need("cleanup_service_name", "cleanup-split", lambda text: text != "cleanup", _NO_LIMIT),
)
# ... and of the cleanup that this smtpd hands to.
SECOND_CLEANUP = (
    Need("message_size_limit", "0", _is("0"), _NO_LIMIT),
    Need("hopcount_limit", "100", _at_least(100), "a copy has more hops than its message; here it would bounce"),
)


class Postfix:
    """One configuration folder; None: the one Postfix itself would use. Raises NoPostfix."""

    def __init__(self, folder: Path | None) -> None:
        path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
        program = shutil.which("postconf", path=path)
        if program is None:
            raise NoPostfix("Postfix is not installed here; install it")
        usual = Path(os.environ.get("MAIL_CONFIG", "/etc/postfix"))
        self._command = [program, "-c", str(_main_cf(folder or usual).parent)]

    def unmet(self, settings: Settings) -> Iterator[tuple[str, Need]]:
        """What is not as needed: where and what. Raises NoPostfix."""
        yield from _unmet("main.cf", needs(settings), self.values())
        services = self._services()
        second = [name for name, values in services.items() if values.get("milter_macro_daemon_name") == "split"]
        if not second:
            yield "master.cf", SECOND_PASS[0]
        for name in second:
            yield from _unmet(f"master.cf {name}", SECOND_PASS, services[name])
            cleanup = f"{services[name].get('cleanup_service_name', 'cleanup')}/unix"
            if cleanup != "cleanup/unix":  # else it is found above
                yield from _unmet(f"master.cf {cleanup}", SECOND_CLEANUP, services.get(cleanup, {}))

    def values(self) -> dict[str, str]:
        """main.cf with defaults. Raises NoPostfix."""
        return dict(_pairs(self._postconf("-x")))

    def listeners(self) -> tuple[Listener, ...]:
        """Where it listens for SMTP. Raises NoPostfix."""
        fields = dict(_pairs(self._postconf("-F")))
        commands = {name.removesuffix("/command"): value for name, value in fields.items() if name.endswith("/command")}
        return tuple(listeners(commands, self._services(), self.values()))

    def chrooted(self) -> list[str]:
        """The services that cannot see our sockets from where they are."""
        fields = dict(_pairs(self._postconf("-F")))
        asking = ("smtpd", "cleanup", "trivial-rewrite", "proxymap")
        names = [name.rpartition("/")[0] for name, value in fields.items() if _runs(name, value, asking)]
        # a dash stands for master(5)'s own default, which is n since Postfix 3.0
        return [name for name in names if fields.get(f"{name}/chroot") == "y"]

    def _services(self) -> dict[str, dict[str, str]]:
        """What master.cf sets of main.cf, by service."""
        services: dict[str, dict[str, str]] = {}
        for name, value in _pairs(self._postconf("-P", "-x")):
            service, _, parameter = name.rpartition("/")
            services.setdefault(service, {})[parameter] = value
        return services

    def _postconf(self, *options: str) -> str:
        command = [*self._command, *options]
        try:
            done = subprocess.run(  # noqa: S603 - a program of Postfix's, and words of ours
                command, capture_output=True, text=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            raise NoPostfix(f"postconf did not end within {SECONDS} s; run it yourself to see why") from None
        if done.returncode:
            words = done.stderr.strip().splitlines()[-1:] or ["postconf failed"]
            raise NoPostfix(f"{words[0].rpartition('postconf: fatal: ')[2]}; correct that")
        return done.stdout


def _main_cf(folder: Path) -> Path:
    """The main.cf of a configuration folder, or of the folder of a private instance. Raises NoPostfix."""
    inner = folder / "etc" / "main.cf"
    try:
        found = (inner if inner.exists() else folder / "main.cf").absolute()
        if found.exists():  # without it postconf waits for a second before it says so
            return found
    except PermissionError:
        raise NoPostfix(f"{folder} is closed to this user; run `smtpy doctor` as one who may enter it") from None
    raise NoPostfix(f"there is no {found}; name its folder by --postfix DIR")


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _, value = line.partition("=")
        yield name.strip(), value.strip()


def _runs(name: str, value: str, programs: tuple[str, ...]) -> bool:
    return name.endswith("/command") and value.partition(" ")[0] in programs


def _unmet(where: str, table: tuple[Need, ...], values: Mapping[str, str]) -> Iterator[tuple[str, Need]]:
    for need in table:
        if need.name not in values or not need.check(values[need.name]):
            yield where, need
