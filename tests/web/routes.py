"""Every route of the application, read from its URL map: what is added tomorrow is in these tests by itself."""

from dataclasses import dataclass
from functools import cache

from smtpy.config import judge
from web import create_app

QUIET = {"HEAD", "OPTIONS"}  # Flask's own, the one a GET without its body, the other without a view


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one rule. `access` is what the view bears (web.auth); `arguments` the names of its ids."""

    endpoint: str
    rule: str
    method: str
    access: str
    arguments: tuple[str, ...]

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


@cache
def routes() -> tuple[Route, ...]:
    """All but static files. The database this application stands on is never asked."""
    secrets = dict.fromkeys(("secret_keys", "srs_secrets", "encryption_keys"), "x" * 48)
    app = create_app(judge({**secrets, "hostname": "mx.our.example", "postmaster": "postmaster@inbox.example"}))
    return tuple(
        Route(rule.endpoint, rule.rule, method, app.view_functions[rule.endpoint].access, tuple(sorted(rule.arguments)))
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))
        if rule.endpoint != "static"
        for method in sorted((rule.methods or set()) - QUIET)
    )


def some(access: str = "", *, write: bool | None = None, ids: bool | None = None) -> list[Route]:
    """Those that a decorator guards, that write or do not, that name something or do not."""
    return [
        route
        for route in routes()
        if (not access or route.access == access)
        and (write is None or route.is_write == write)
        and (ids is None or bool(route.arguments) == ids)
    ]
