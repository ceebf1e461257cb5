"""Every setting as a manual has it: kind, default, variable, meaning; and the text that goes before the list.

The one source of docs/settings.md, of smtpy.toml(5) and of what `smtpy config doc` prints. ABOUT is Markdown of the
plainest kind, since all three are made of it: paragraphs, numbered lists, and words between backticks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from smtpy.config.schema import PREFIX, Settings

ABOUT = """\
Every process reads the same settings, and refuses to start with the names of all bad ones. Later sources win:

1. the TOML file: `smtpy --config FILE`, else `$SMTPY_CONFIG`, else `/etc/smtpy/smtpy.toml` if it is there;
2. the environment: `SMTPY_` and the key in capitals (`SMTPY_LOG_LEVEL=debug`), if it is not empty;
3. a file named by the environment: `SMTPY_` key `_FILE` (`SMTPY_SECRET_KEYS_FILE=/run/secrets/keys`).

In the TOML file, too, any key may name a file instead: `secret_keys_file = "secrets/secret_keys"`, relative to the TOML
file. Lists are TOML arrays there; in the environment and in files they are separated by white space.

`smtpy init` writes a file and good secrets; there are no default ones. `smtpy config check` checks the settings,
`smtpy config show` shows them without the secrets. `smtpy init` run again adds a secret that a newer version needs.

`smtpy secret` replaces one (docs/secrets.md). Without its encryption key a signing key is lost: mail goes out
unsigned, `smtpy doctor` says so, and `smtpy key rotate` makes a new one. So keep a copy of the secrets, and not where
the copies of the database are.

An endpoint is `unix:/path` or `inet:host:port`, a DNS server `192.0.2.1`, `192.0.2.1:5353` or `[2001:db8::1]:5353`,
a network `192.0.2.0/24`. A default with another key in braces stands on that setting.
"""
REQUIRED, NONE = "required", "none"
_NUMBERS = {int: "whole number", float: "number"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting. `default` is as the environment would have it; REQUIRED and NONE are words, no values."""

    key: str
    variable: str
    kind: str
    default: str
    meaning: str

    @property
    def has_value(self) -> bool:
        """Whether the default is one that could be written down."""
        return self.default not in (REQUIRED, NONE)


def entries() -> Iterator[Entry]:
    """All settings, in the order of the schema."""
    for key, field in Settings.model_fields.items():
        meaning = field.description or ""
        yield Entry(key, PREFIX + key.upper(), _kind(field), _default(field), meaning)


def markdown() -> str:
    """docs/settings.md."""
    rows = ["| key | in the environment | kind | default | meaning |", "|---|---|---|---|---|"]
    for each in entries():
        default = f"`{each.default}`" if each.has_value else f"*{each.default}*"
        rows.append(f"| `{each.key}` | `{each.variable}` | {each.kind} | {default} | {each.meaning} |")
    return "\n".join(("# Settings", "", ABOUT, *rows, ""))


def text() -> str:
    """The same for a terminal."""
    lines = ["SETTINGS", "", ABOUT]
    for each in entries():
        lines += [
            f"{each.key}  ({each.variable})",
            f"    {each.kind}; default: {each.default}",
            f"    {each.meaning}",
            "",
        ]
    return "\n".join(lines)


def _kind(field: FieldInfo) -> str:
    """What a value is, in words."""
    if field.title:
        return field.title
    if get_origin(field.annotation) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(field.annotation))
    if field.annotation in _NUMBERS:
        return f"{_NUMBERS[field.annotation]}, {_bounds(field.metadata)}"
    titles = [each.title for kind in get_args(field.annotation) for each in _parts(kind) if each.title]
    return titles[0] if titles else "text"


def _parts(kind: Any) -> Iterator[FieldInfo]:
    """What an annotated kind says of itself where it is one of several: `Folder | None`."""
    yield from (each for each in getattr(kind, "__metadata__", ()) if isinstance(each, FieldInfo))


def _bounds(metadata: list[Any]) -> str:
    bounds = {name: getattr(each, name) for each in metadata for name in ("ge", "le") if hasattr(each, name)}
    return f"{bounds['ge']} to {bounds['le']}" if "le" in bounds else f"{bounds['ge']} or more"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return REQUIRED
    if field.default is not PydanticUndefined:
        value = field.default
        return NONE if value in (None, "", ()) else " ".join(map(str, value if isinstance(value, tuple) else (value,)))
    made: Any = field.default_factory  # of the settings before it, here by their names
    return str(made({name: f"{{{name}}}" for name in Settings.model_fields}))
