"""Every setting: its kind, its default and what it means. `reference` makes manuals of it."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smtpy.config.kinds import (
    BackupFolder,
    Counters,
    Database,
    DnsServer,
    DnsServers,
    Dsn,
    Folder,
    Hostname,
    Hostnames,
    IpAddresses,
    Keys,
    Listen,
    Listens,
    Local,
    Networks,
    Origin,
    Port,
    Postmaster,
    Recipients,
    ReportAddress,
    SrsSecrets,
    Standby,
    Unix,
    standing_on,
)
from smtpy.net import Endpoint

PREFIX = "SMTPY_"


class BadSettings(Exception):
    """`problems`: every bad key (as its source spells it) or unreadable file, with the reason."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{name}: {reason}" for name, reason in problems))
        self.problems = tuple(problems)


class Settings(BaseModel):
    """Every setting of SMTPy."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True)

    hostname: Hostname
    """The name of this mail server, as in Postfix's `myhostname`."""
    postmaster: Postmaster
    """The address that takes mail to postmaster and abuse at `hostname`; in ASCII, and not at `hostname` itself."""
    state_dir: Folder = Path("/var/lib/smtpy")
    """Where what must last lies: the SQLite database."""
    run_dir: Folder = Path("/run/smtpy")
    """Where the sockets lie; user postfix must be able to enter it."""
    database_url: Database = standing_on("state_dir", "sqlite:///{state_dir}/smtpy.db")
    """`sqlite:////absolute/path` or `postgresql://user:password@host/name`."""
    standby_url: Standby = ""
    """A standby of that PostgreSQL, near this host, which is asked about mail first; none: the primary alone is."""
    secret_keys: Keys
    """Keys of trace marks and return tokens, newest first, 32 characters or more each."""
    srs_secrets: SrsSecrets
    """Secrets of the Sender Rewriting Scheme, newest first, 16 characters or more each."""
    srs_hash_length: Annotated[int, Field(ge=4, le=20)] = 8
    """Characters of the hash in a return address."""
    srs_max_age_days: Annotated[int, Field(ge=1, le=365)] = 21
    """Days for which a return address leads back to its sender."""
    encryption_keys: Keys
    """Keys under which signing keys lie in the database, newest first, 32 characters or more each."""
    lookup_listen: Listens = standing_on("run_dir", "unix:{run_dir}/lookup.sock")
    """Where `smtpy lookup` answers."""
    policy_listen: Listens = standing_on("run_dir", "unix:{run_dir}/policy.sock")
    """Where `smtpy policy` answers."""
    milter_listen: Unix = standing_on("run_dir", "unix:{run_dir}/milter.sock")
    """Where `smtpy milter` answers; a UNIX socket."""
    milter_workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Processes that share the milter's socket."""
    queue_listen: Local = standing_on("run_dir", "unix:{run_dir}/queue.sock")
    """Where `smtpy queue serve` answers; a UNIX socket."""
    queue_group: Annotated[str, Field(max_length=32)] = ""
    """The group whose members may ask it, the web process among them; none: the group of `run_dir`."""
    postfix_dir: Folder | None = None
    """The configuration folder of Postfix; none: the one Postfix itself would use."""
    message_size_limit: Annotated[int, Field(ge=1024)] = 26_214_400
    """Octets of the largest message taken, as in Postfix's `message_size_limit`."""
    max_hops: Annotated[int, Field(ge=1, le=100)] = 30
    """Most Received lines of a message that is not taken to go round in circles."""
    deadline_seconds: Annotated[float, Field(ge=0.1, le=30)] = 3.0
    """Seconds after which a question is answered "try again"; Postfix itself waits 100."""
    dns_servers: DnsServers = ()
    """DNS servers to ask, by IP address and port; none: those of `/etc/resolv.conf`."""
    dns_timeout_seconds: Annotated[float, Field(ge=0.1, le=10)] = 2.0
    """Seconds that one DNS server has to answer one question."""
    authentication_seconds: Annotated[float, Field(ge=0.1, le=30)] = 8.0
    """Seconds that all DNS questions about one message may take together; what is not known then is temperror."""
    own_networks: Networks = (IPv4Network("127.0.0.1/32"), IPv6Network("::1/128"))
    """Clients whose mail is taken as their own, unasked; as in Postfix's `mynetworks`."""
    trusted_sealers: Hostnames = ()
    """Domains whose ARC seal is believed where DMARC fails: forwarders and lists before us."""
    mx_hosts: Annotated[Hostnames, Field(min_length=1)] = standing_on("hostname", "{hostname}")
    """Host names that a domain's MX records are to have."""
    report_address: ReportAddress = standing_on("postmaster", "{postmaster}")
    """The address that DMARC and TLS reports about our domains are to go to."""
    check_resolvers: Annotated[DnsServers, Field(min_length=1)] = (DnsServer("9.9.9.9"), DnsServer("1.1.1.1"))
    """DNS servers that `smtpy domain check` and the worker ask, so that a record counts when the world sees it."""
    outgoing_addresses: IpAddresses = ()
    """IP addresses from which mail leaves this host; none: those of `hostname` in DNS."""
    blocklists: Hostnames = ()
    """Lists of senders of spam in DNS, such as `zen.spamhaus.org`, that `smtpy doctor` asks about these; none: none."""
    check_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """Hours between two checks of what a domain publishes."""
    key_rotation_days: Annotated[int, Field(ge=0, le=3650)] = 0
    """Days after which a domain gets new signing keys; 0: only by `smtpy key rotate`."""
    key_retire_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days for which a retired signing key stays published, for mail still on its way."""
    cache_entries: Annotated[int, Field(ge=1)] = 100_000
    """Answers of the directory that each process remembers."""
    epoch_poll_seconds: Annotated[float, Field(ge=0.01, le=60)] = 0.3
    """Seconds between two looks for changes of the directory."""
    journal_batch_seconds: Annotated[float, Field(ge=0.01, le=60)] = 0.3
    """Seconds for which journal rows are gathered before they are written."""
    journal_buffer: Annotated[int, Field(ge=1)] = 10_000
    """Journal rows that each process keeps while the database is away; the oldest go first."""
    journal_days: Annotated[int, Field(ge=0, le=3650)] = 90
    """Days for which messages and what became of them are remembered; 0: for good. Counts by day stay."""
    trash_days: Annotated[int, Field(ge=0, le=3650)] = 90
    """Days for which what was thrown away can be restored; then only addresses stay, for their owners; 0: for good."""
    held_days: Annotated[int, Field(ge=0, le=3650)] = 0
    """Days from when a message came until it is deleted if it is on hold; 0: somebody has to release or delete it."""
    web_origin: Origin = "http://localhost:8000"
    """Where people reach the web pages, as browsers have it: scheme, host, and port if it is not the usual one."""
    web_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    """Proxies before the web pages, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    limits_url: Counters = "memory://"
    """Where limits are counted: `memory://`, or for several web processes `redis://host:port`, `redis+unix:///path`."""
    notice_server: Listen = Endpoint(host="127.0.0.1", port=25)
    """The SMTP server that takes the mail which SMTPy writes itself; Postfix on this host as a rule."""
    notice_sender: ReportAddress = standing_on("hostname", "smtpy@{hostname}")
    """Who that mail is from."""
    postfix_log: Folder | None = None
    """Postfix's log on this host, which the worker follows to tell what became of messages; none: it does not."""
    backup_recipients: Recipients = ()
    """Public keys (`age1...`) for whose holders backups are sealed; `smtpy backup --new-key FILE` makes a pair."""
    backup_dir: BackupFolder | None = None
    """Where `smtpy worker` puts backups, on one of several hosts; none: it makes none."""
    backup_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """Hours between two backups of the worker."""
    metrics_listen: Port = Endpoint(host="127.0.0.1", port=9925)
    """Where `smtpy metrics` answers Prometheus; a TCP port, which tells whoever reaches it how much mail there is."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are logged."""
    log_format: Literal["text", "json"] = "text"
    """How a line is written: for people, or as one JSON object for what gathers logs."""
    log_addresses: Literal["full", "domain", "none"] = "full"
    """What lines tell of an address: all of it, its domain, or nothing."""
    sentry_dsn: Dsn = ""
    """The DSN of a Sentry that hears of defects, without a word of anybody's mail; none: nobody does."""


def judge(values: Mapping[str, object], names: Mapping[str, str] | None = None) -> Settings:
    """Settings from values by key; `names` is how their source spells the keys. Raises BadSettings."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadSettings(_judged(error, names or {})) from None


def _judged(error: ValidationError, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pydantic's findings in our words, without the values, which may be secret."""
    problems = []
    for found in error.errors(include_input=False, include_url=False):
        key = str(found["loc"][0])
        if found["type"] == "missing":
            problems.append((key, f"required; set it in the file or as {PREFIX}{key.upper()}"))
        elif found["type"] != "default_factory_not_called":  # its cause is listed
            problems.append((names.get(key, key), found["msg"].removeprefix("Value error, ")))
    return problems
