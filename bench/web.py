"""Pages on a large database: time on the server, statements of SQL, octets that travel.

    python -m bench web                       # SQLite, and PostgreSQL if it is installed; seeds them first (minutes)
    python -m bench web --size small          # coarser, at once
    python -m bench web --database URL        # one that `smtpy seed` has filled already

Each page is asked for by its owner through the application itself (no sockets), as often as --rounds says; the figures
are the median and the 95th of a hundred. Octets are those of the page, and of the page with what it loads the first
time, compressed by gzip as a proxy would. Times are told and never judged, since machines differ; a page that is too
large ends with status 1. How many statements a page takes is asserted in tests/web/test_queries.py.
"""

import argparse
import gzip
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smtpy.admin import sessions
from smtpy.config import Settings, judge
from smtpy.seed import plant
from smtpy.store import migrate
from smtpy.store.engine import open_engine
from smtpy.store.schema import User
from tests.postgres import Postgres, binaries
from tests.queries import statements
from web import create_app
from web.limits import limiter
from web.sessions import COOKIE

OWNER, ADMIN = "nora@people.example", "operator@people.example"
MOST_OCTETS = 100_000  # compressed, with all that a first visit loads
DEEP = 40  # pages down a list
PATIENCE = 600.0  # seconds for one statement while it is seeded
# what, who, where; then the link to follow from there: "next" again and again, or the first that fits, and a page of it
PAGES: tuple[tuple[str, ...], ...] = (
    ("dashboard", OWNER, "/"),
    ("aliases", OWNER, "/aliases"),
    ("aliases, search", OWNER, "/aliases?q=citywater"),
    ("aliases, search in vain", OWNER, "/aliases?q=nobodyhasthis"),
    ("aliases, filter", OWNER, "/aliases?tag=shops&state=off"),
    (f"aliases, {DEEP} pages down", OWNER, "/aliases", "next"),
    ("one alias", OWNER, "/aliases", r'href="(/aliases/[0-9a-f-]{36})"'),
    ("its senders", OWNER, "/aliases", r'href="(/aliases/[0-9a-f-]{36})"', "/senders"),
    ("its log", OWNER, "/aliases", r'href="(/aliases/[0-9a-f-]{36})"', "/log"),
    ("message log", OWNER, "/log"),
    (f"message log, {DEEP} pages down", OWNER, "/log", "next"),
    ("message log, search", OWNER, "/log?q=mail@citywater.example"),
    ("message log, held", OWNER, "/log?state=held"),
    ("one message", OWNER, "/log", r'href="(/log/[0-9a-f-]{36})"'),
    ("domains", OWNER, "/domains"),
    ("one domain", OWNER, "/domains", r'href="(/domains/[0-9a-f-]{36})"'),
    ("mailboxes", OWNER, "/mailboxes"),
    ("people", ADMIN, "/admin/users"),
    ("audit trail", ADMIN, "/admin/audit"),
    (f"audit trail, {DEEP} pages down", ADMIN, "/admin/audit", "next"),
    ("audit trail, search", ADMIN, "/admin/audit?subject=*citywater"),
    ("audit trail, search in vain", ADMIN, "/admin/audit?subject=*nobodyhasthis"),
    ("all domains", ADMIN, "/admin/domains"),
    ("health", ADMIN, "/admin"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one page."""

    page: str
    median_ms: float
    p95_ms: float
    statements: int
    octets: int
    first_octets: int


def main(arguments: Sequence[str]) -> int:
    """The exit status: 1 if a page is too large."""
    parser = argparse.ArgumentParser("python -m bench web", description="Pages on a large database.")
    parser.add_argument("--size", choices=("small", "large"), default="large")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--database", metavar="URL", help="filled by `smtpy seed`; else one is made for each kind")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of its tidying
    worst = 0
    for name, url in databases(chosen):
        rows = [measure(url, page, chosen.rounds) for page in PAGES]
        print(table(f"{name}, {chosen.size if not chosen.database else 'as it is'}", rows))
        worst = max(worst, *(row.first_octets for row in rows))
    return int(worst > MOST_OCTETS)


def databases(chosen: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Those to measure, filled."""
    if chosen.database:
        yield chosen.database.partition(":")[0], chosen.database
        return
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="smtpy-bench-web-"))
        urls = {"SQLite": f"sqlite:///{folder}/smtpy.db"}
        if programs := binaries():
            server = Postgres(programs)
            stack.callback(server.close)
            server.start()
            urls["PostgreSQL"] = server.new_database()
        for name, url in urls.items():
            fill(url, chosen.size)
            yield name, url


def fill(url: str, size: str) -> None:
    """Make the tables and plant the town."""
    engine = open_engine(url, deadline=PATIENCE, create=True)
    start = time.monotonic()
    migrate.upgrade(engine)
    plant(engine, settings(url), size, 1, datetime.now(UTC))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")  # as autovacuum would within the minute
    engine.dispose()
    print(f"seeded {url.partition(':')[0]} in {time.monotonic() - start:.0f} s", file=sys.stderr)


def settings(url: str) -> Settings:
    """Settings like any other's."""
    secrets = dict.fromkeys(("secret_keys", "srs_secrets", "encryption_keys"), "x" * 48)
    names = {"hostname": "mx.our.example", "postmaster": "postmaster@inbox.example", "web_origin": "http://localhost"}
    return judge({**secrets, **names, "database_url": url})


@contextmanager
def browser(url: str, who: str) -> Iterator[tuple[FlaskClient, Engine]]:
    """Somebody who is signed in, and the database to watch."""
    engine = open_engine(url, deadline=PATIENCE)
    now = datetime.now(UTC)
    app = create_app(settings(url), engine)
    limiter.enabled = False
    with Session(engine) as session:
        member = sessions.member_of(session.scalars(select(User).where(User.email == who)).one())
    visit = sessions.Visit(sessions.new_sid(), member=member)
    visit.authenticated_at = now
    sessions.save(engine, visit, client="", agent="bench", now=now)
    client = app.test_client()
    client.set_cookie(COOKIE, visit.sid, domain="localhost", secure=True)
    try:
        yield client, engine
    finally:
        limiter.enabled = True
        engine.dispose()


def measure(url: str, page: Sequence[str], rounds: int) -> Row:
    """One page, warm."""
    name, who, path, *follow = page
    with browser(url, who) as (client, engine):
        if follow:
            path = followed(client, path, follow[0]) + "".join(follow[1:])
        body = got(client, path)
        with statements(engine) as seen:
            got(client, path)
        times = sorted(timed(client, path) for _ in range(rounds))
        assets = sum(len(gzip.compress(got(client, each))) for each in sorted(set(_ASSET.findall(body.decode()))))
    octets = len(gzip.compress(body))
    return Row(name, median(times), quantiles(times, n=20)[-1], len(seen), octets, octets + assets)


_ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+\.(?:css|js|svg)[^"#]*)')
_NEXT = re.compile(r'<a href="([^"]+)" rel="next"')


def followed(client: FlaskClient, path: str, how: str) -> str:
    """Where links lead: `next` page after next page, or the first that looks so."""
    if how != "next":
        found = re.search(how, got(client, path).decode())
        return found[1] if found else path
    for _ in range(DEEP):
        found = _NEXT.search(got(client, path).decode())
        if not found:
            break
        path = found[1].replace("&amp;", "&")
    return path


def got(client: FlaskClient, path: str) -> bytes:
    """The page. Raises RuntimeError unless it is one."""
    with client.get(path) as answer:
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return answer.data


def timed(client: FlaskClient, path: str) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    got(client, path)
    return (time.perf_counter() - start) * 1000


def table(title: str, rows: Sequence[Row]) -> str:
    """Markdown."""
    names = "| page | median ms | p95 ms | statements | kB gzip | kB first visit |"
    head = f"\n### {title}\n\n{names}\n|---|---:|---:|---:|---:|---:|"
    lines = [
        f"| {row.page} | {row.median_ms:.1f} | {row.p95_ms:.1f} | {row.statements} | {row.octets / 1000:.1f}"
        f" | {row.first_octets / 1000:.1f} |"
        for row in rows
    ]
    return "\n".join([head, *lines])
