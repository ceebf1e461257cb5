"""Settings as they may be shown to whoever operates the service: no secret, no password in a URL; and whence each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from smtpy.config.schema import PREFIX, Settings
from smtpy.config.sources import URLS, gather

REDACTED = "**********"

Source = Literal["default", "file", "environment"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting. `name`: how its source spells it; `meaning` is that of docs/settings.md."""

    key: str
    value: object
    source: Source
    name: str
    meaning: str


def values(settings: Settings) -> dict[str, Any]:
    """Every setting as JSON has it."""
    plain: dict[str, Any] = settings.model_dump(mode="json")  # pydantic writes secrets as asterisks
    return {**plain, **{key: without_password(plain[key]) for key in URLS}}


def listed(settings: Settings, path: Path | None, environ: Mapping[str, str]) -> tuple[Shown, ...]:
    """Every setting, and where it came from when these were the sources."""
    names = gather(path, environ).names
    return tuple(
        Shown(key, value, _source(names.get(key)), names.get(key, ""), Settings.model_fields[key].description or "")
        for key, value in values(settings).items()
    )


def _source(name: str | None) -> Source:
    return "default" if name is None else "environment" if name.startswith(PREFIX) else "file"


def without_password(url: str) -> str:
    """A URL as it may be shown: no password, neither before the host nor among the parameters."""
    url = re.sub(r"(?<=://)([^/@:]*):(.*)@", rf"\1:{REDACTED}@", url)
    return re.sub(r"(?i)\b((?:ssl)?password=)[^&]*", rf"\1{REDACTED}", url)
