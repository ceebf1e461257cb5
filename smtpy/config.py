"""The settings: one typed schema, read once at start, refused as a whole with the names of all bad keys.

Sources, later wins: the TOML file (`--config`, else `$SMTPY_CONFIG`, else /etc/smtpy/smtpy.toml if it is there), the
environment `SMTPY_<KEY>`, the file named by `SMTPY_<KEY>_FILE`. In the TOML any key may be written as
`<key>_file = "path"` too, relative to the TOML file. Files are read as text and stripped; lists in the environment and
in files are separated by white space.

There are no default secrets. What a message of this module says never contains a value, only names and rules.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    ValidationError,
    ValidationInfo,
)

from smtpy.mail.address import parse, parse_domain
from smtpy.net import Endpoint
from smtpy.routing.internal import is_internal

DEFAULT_FILE = Path("/etc/smtpy/smtpy.toml")
PREFIX = "SMTPY_"
NOT_SETTINGS = {"SMTPY_CONFIG", "SMTPY_CORPORA", "SMTPY_DEMO_DIR", "SMTPY_DEMO_PORT"}  # of the shell, tests and demo


class BadSettings(Exception):
    """`problems`: every bad key (as its source spells it) or unreadable file, with the reason."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{name}: {reason}" for name, reason in problems))
        self.problems = tuple(problems)


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("a path here is absolute")
    return path


def _hostname(text: str) -> str:
    if text.startswith("["):
        raise ValueError("a host name, not an address literal")
    return parse_domain(text)


def _postmaster(text: str, info: ValidationInfo) -> str:
    address = parse(text)
    if address.domain == info.data.get("hostname"):
        raise ValueError("mail to the service's own hostname goes to this address, so it must be elsewhere")
    if is_internal(address.domain):
        raise ValueError(f"{address.domain} is used within the service; name an address elsewhere")
    if not address.ascii:  # RFC 6531 section 3.4: it needs SMTPUTF8, which a message in ASCII does not leave with
        raise ValueError("many servers take an address in ASCII only; name such a one")
    return str(address)


def _endpoint(value: object) -> Endpoint:
    return value if isinstance(value, Endpoint) else Endpoint.parse(str(value))


def _unix(endpoint: Endpoint) -> Endpoint:
    if endpoint.path is None:
        raise ValueError("the milter listens on a UNIX socket (unix:/path): TCP costs 44 ms a message or more")
    return endpoint


def _database(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.path.startswith("//"):
        raise ValueError("the path of a SQLite database is absolute: sqlite:////absolute/path")
    if parts.scheme not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError("a database URL is sqlite:////absolute/path or postgresql://user@host/name")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("the port of a database URL is a number from 0 to 65535") from None
    return url


def _at_least(length: int) -> Callable[[SecretStr], SecretStr]:
    def check(secret: SecretStr) -> SecretStr:
        if len(secret) < length:
            raise ValueError(f"a secret here has at least {length} characters; `smtpy init` makes good ones")
        return secret

    return check


def _in(key: str, pattern: str) -> Any:
    """A default that stands on another setting."""
    return Field(default_factory=lambda given: pattern.replace(f"{{{key}}}", str(given[key])))


def _words(value: object) -> object:
    """A list may be written as one text, with white space between."""
    return value.split() if isinstance(value, str) else value


Listed = BeforeValidator(_words)
Folder = Annotated[Path, AfterValidator(_absolute)]
Listen = Annotated[Endpoint, PlainValidator(_endpoint), PlainSerializer(str)]
Listens = Annotated[tuple[Listen, ...], Listed, Field(min_length=1)]
Key = Annotated[SecretStr, AfterValidator(_at_least(32))]
SrsSecret = Annotated[SecretStr, AfterValidator(_at_least(16))]


class Settings(BaseModel):
    """Every setting of SMTPy; docs/settings.md is made from here."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True)

    hostname: Annotated[str, AfterValidator(_hostname)]
    """The name of this mail server, as in Postfix's `myhostname`."""
    postmaster: Annotated[str, AfterValidator(_postmaster)]
    """The address that takes mail to postmaster and abuse at `hostname`; in ASCII, and not at `hostname` itself."""
    state_dir: Folder = Path("/var/lib/smtpy")
    """Where what must last lies: the SQLite database."""
    run_dir: Folder = Path("/run/smtpy")
    """Where the sockets lie; user postfix must be able to enter it."""
    database_url: Annotated[str, AfterValidator(_database), Field(repr=False)] = _in(
        "state_dir", "sqlite:///{state_dir}/smtpy.db"
    )
    """`sqlite:////absolute/path` or `postgresql://user:password@host/name`."""
    secret_keys: Annotated[tuple[Key, ...], Listed, Field(min_length=1)]
    """Keys of trace marks and return tokens, newest first, 32 characters or more each."""
    srs_secrets: Annotated[tuple[SrsSecret, ...], Listed, Field(min_length=1)]
    """Secrets of the Sender Rewriting Scheme, newest first, 16 characters or more each."""
    srs_hash_length: Annotated[int, Field(ge=4, le=20)] = 8
    """Characters of the hash in a return address."""
    srs_max_age_days: Annotated[int, Field(ge=1, le=365)] = 21
    """Days for which a return address leads back to its sender."""
    lookup_listen: Listens = _in("run_dir", "unix:{run_dir}/lookup.sock")
    """Where `smtpy lookup` answers."""
    policy_listen: Listens = _in("run_dir", "unix:{run_dir}/policy.sock")
    """Where `smtpy policy` answers."""
    milter_listen: Annotated[Listen, AfterValidator(_unix)] = _in("run_dir", "unix:{run_dir}/milter.sock")
    """Where `smtpy milter` answers; a UNIX socket."""
    milter_workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Processes that share the milter's socket."""
    message_size_limit: Annotated[int, Field(ge=1024)] = 26_214_400
    """Octets of the largest message taken, as in Postfix's `message_size_limit`."""
    max_hops: Annotated[int, Field(ge=1, le=100)] = 30
    """Most Received lines of a message that is not taken to go round in circles."""
    deadline_seconds: Annotated[float, Field(ge=0.1, le=30)] = 3.0
    """Seconds after which a question is answered "try again"; Postfix itself waits 100."""
    cache_entries: Annotated[int, Field(ge=1)] = 100_000
    """Answers of the directory that each process remembers."""
    epoch_poll_seconds: Annotated[float, Field(ge=0.01, le=60)] = 0.3
    """Seconds between two looks for changes of the directory."""
    journal_batch_seconds: Annotated[float, Field(ge=0.01, le=60)] = 0.3
    """Seconds for which journal rows are gathered before they are written."""
    journal_buffer: Annotated[int, Field(ge=1)] = 10_000
    """Journal rows that each process keeps while the database is away; the oldest go first."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are logged."""


@dataclass(slots=True)
class Given:
    """What the sources say, before it is judged: values and their spelling by key, files with secrets, trouble."""

    values: dict[str, object] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    secret_files: list[Path] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def put(self, key: str, name: str, value: object) -> None:
        """Take a value; `key` may end in `_file`, then the value is a path, and its text counts."""
        if key in Settings.model_fields:
            self.values[key], self.names[key] = value, name
        elif key.removesuffix("_file") in Settings.model_fields:
            key, path = key.removesuffix("_file"), Path(str(value))
            text = self.read(name, path)
            self.names[key] = name
            self.values[key] = None if text is None else text.strip()
            if _is_secret(key, text or ""):
                self.secret_files.append(path)
        else:
            self.problems.append((name, _unknown(name, key)))

    def read(self, name: str, path: Path) -> str | None:
        """The text of a file; None after noting why it cannot be had."""
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.problems.append((name, f"cannot read {path}: {reason}"))
            return None


def _is_secret(key: str, value: object) -> bool:
    return key in ("secret_keys", "srs_secrets") or (key == "database_url" and ":" in urlsplit(str(value)).netloc)


def _unknown(name: str, key: str) -> str:
    near = difflib.get_close_matches(key, Settings.model_fields, n=1)
    if not near:
        return "no such setting"
    meant = PREFIX + near[0].upper() if name.startswith(PREFIX) else near[0]
    return f"no such setting; did you mean {meant}?"


def gather(path: Path | None, environ: Mapping[str, str]) -> Given:
    """Read all sources. What is wrong with them stands in `problems`."""
    given = Given()
    if path is None and (named := environ.get("SMTPY_CONFIG")):
        path = Path(named)
    if path is not None or _is_there(DEFAULT_FILE):
        _gather_file(given, path or DEFAULT_FILE)
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    for name in sorted(ours.keys() - NOT_SETTINGS, key=lambda name: (name.endswith("_FILE"), name)):
        given.put(name.removeprefix(PREFIX).lower(), name, ours[name])
    return given


def _is_there(path: Path) -> bool:
    """What this user may not look for counts as there: reading it then says why not."""
    try:
        return path.exists()
    except PermissionError:
        return True


def _gather_file(given: Given, path: Path) -> None:
    text = given.read("the configuration file", path)
    if text is None:
        return
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        given.problems.append((str(path), f"not TOML: {error}"))
        return
    if any(_is_secret(key, value) for key, value in table.items()):
        given.secret_files.append(path)
    for key, value in table.items():
        is_file = key not in Settings.model_fields and key.endswith("_file")
        if is_file and key.removesuffix("_file") in table:
            given.problems.append((key, f"{key.removesuffix('_file')} is given too; keep one of them"))
        given.put(key, key, path.parent / str(value) if is_file else value)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of this process. Raises BadSettings with every problem of every source."""
    given = gather(path, environ)
    try:
        settings = judge(given.values, given.names)
    except BadSettings as bad:
        met = {name for name, _ in given.problems}
        raise BadSettings([*given.problems, *(each for each in bad.problems if each[0] not in met)]) from None
    if given.problems:
        raise BadSettings(given.problems)
    return settings


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
