"""Where settings come from: file, environment, files named by either."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from smtpy.config.schema import PREFIX, BadSettings, Settings, judge

DEFAULT_FILE = Path("/etc/smtpy/smtpy.toml")
# Of the shell, of gunicorn, of tests and demo.
NOT_SETTINGS = {
    *("SMTPY_CONFIG", "SMTPY_WEB_BIND"),
    *("SMTPY_ARTEFACTS", "SMTPY_CORPORA", "SMTPY_DEMO_DIR", "SMTPY_DEMO_PORT", "SMTPY_DEMO_WEB"),
}
SECRETS = ("secret_keys", "srs_secrets", "encryption_keys")
URLS = ("database_url", "standby_url", "limits_url")  # which may have a password in them


@dataclass(slots=True)
class Given:
    """What the sources say, before it is judged: values, their spelling, and the file named for one, each by key; files
    with secrets; trouble.
    """

    values: dict[str, object] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    secret_files: list[Path] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def put(self, key: str, name: str, value: object) -> None:
        """Take a value; `key` may end in `_file`, then the value is a path, and its text counts."""
        if key in Settings.model_fields:
            self.values[key], self.names[key] = value, name
            self.files.pop(key, None)
        elif key.removesuffix("_file") in Settings.model_fields:
            key, path = key.removesuffix("_file"), Path(str(value))
            text = self.read(name, path)
            self.names[key], self.files[key] = name, path
            self.values[key] = None if text is None else text.strip()
            if is_secret(key, text or ""):
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


def is_secret(key: str, value: object) -> bool:
    """Whether that value of a setting is nobody's to read: a secret, or a URL with a password."""
    return key in SECRETS or (key in URLS and bool(urlsplit(str(value)).password or "password=" in str(value)))


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
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}
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
    if any(is_secret(key, value) for key, value in table.items()):
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
