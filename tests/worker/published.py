"""What `domain dns` prints, put into a zone on paper."""

from typing import Any

from sqlalchemy import Engine

from smtpy.admin.change import reading
from smtpy.admin.checks import wanted
from smtpy.config import Settings

ADDRESS = "198.51.100.25"


def published(engine: Engine, settings: Settings, domain: str = "our.example") -> dict[str, dict[str, Any]]:
    """The names of a domain whose owner has done what was asked, and of the host that takes its mail."""
    with reading(engine) as session:
        records = wanted(session, domain, settings)
    names: dict[str, dict[str, Any]] = {settings.hostname: {"A": [ADDRESS]}}
    for each in records:
        value: Any = each.value
        if each.type == "MX":
            preference, _, host = each.value.partition(" ")
            value = (int(preference), host)
        names.setdefault(each.name, {}).setdefault(each.type, []).append(value)
    return names
