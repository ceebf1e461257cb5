"""One host, from bare to forwarding and pages by HTTPS; its certificate, its releases; then PostgreSQL and Redis."""

import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import PurePath
from threading import Event, Thread

import yaml
from pyrage import x25519

from tests.ansible.looking import (
    ALIAS,
    anybody,
    declare,
    forwarded,
    kept_up_to_date,
    letter,
    pages_lack_nothing,
    ports_are_right,
    units_run,
)
from tests.ansible.playing import MINE, changes, commit, converges, play, say, step, take
from tests.ansible.world import ACME, MAILBOX, ROOTS, SENDER, WORLD, Host, Otherwise, World, note, wait_for
from tests.dialog import Dialog

MX = Host("mx.you.example", "192.0.2.25")
HOSTS = (MX,)
IDENTITY = x25519.Identity.generate()
PASSWORD = "a-password-of-the-test"
SAY = "UPDATE alembic_version SET version_num = ?"
OPEN = (22, 25, 80, 443)
# The same host with a database and counters that others could share.
SHARED = {
    "postgres_clients": [WORLD],
    "redis_clients": [WORLD],
    "vault_postgres_password": PASSWORD,
    "vault_redis_password": PASSWORD,
    "vault_database_url": f"postgresql://smtpy:{PASSWORD}@127.0.0.1/smtpy?sslmode=require",
    "vault_limits_url": f"rediss://:{PASSWORD}@127.0.0.1:6379?ssl_cert_reqs=none",
}


def show(world: World) -> None:
    """All that the head of this file says."""
    recipients = [str(IDENTITY.to_public())]
    take("one-host", smtpy_postmaster=MAILBOX, backup_recipients=recipients, smtpy_https=True, https_acme=ACME)
    converges(HOSTS)
    with step("units run, and are not exposed"):
        units_run(MX)
    with step("ports are open that are to be, and no others"):
        ports_are_right(MX, OPEN)
    with step("updates come by themselves"):
        kept_up_to_date(MX)
    with step("a message is forwarded"):
        declare(MX)
        forwarded(world, MX)
    with step("pages by HTTPS, certified; Postfix shows the same certificate"):
        by_https()
    with step("the certificate is renewed, and no session ends"):
        renewed()
    with step("a restart of everything, and no page is refused"), asked_for_pages():
        MX.does("systemctl restart smtpy.target")
    releases()
    with step("a message is forwarded"):
        forwarded(world, MX)
    shared(world)


def opened(port: int, context: ssl.SSLContext | None = None) -> HTTPConnection:
    """A connection to the pages."""
    connection = HTTPConnection(MX.address, port, timeout=20)
    connection.connect()
    if context:
        connection.sock = context.wrap_socket(connection.sock, server_hostname=MX.name)
    return connection


def got(connection: HTTPConnection, path: str) -> HTTPResponse:
    """The answer for a path."""
    connection.request("GET", path, headers={"Host": MX.name})
    return connection.getresponse()


def certified() -> bytes:
    """The certificate of the pages, which somebody vouches for whom we trust."""
    with urllib.request.urlopen(ROOTS, context=anybody(), timeout=20) as root:  # noqa: S310 - an https: of this file
        context = ssl.create_default_context(cadata=root.read().decode())
    connection = opened(443, context)
    answer = got(connection, "/")
    if answer.status >= 400 or not answer.getheader("Strict-Transport-Security"):
        raise Otherwise(f"the pages answer {answer.status}, {answer.getheaders()}")
    return connection.sock.getpeercert(binary_form=True) or b""


def by_https() -> None:
    """Pages that can be trusted; who comes without encryption is sent there."""
    certificate = certified()
    answer = got(opened(80), "/somewhere")
    if (answer.status, answer.getheader("Location")) != (308, f"https://{MX.name}/somewhere"):
        raise Otherwise(f"port 80 answers {answer.status}, {answer.getheader('Location')}")
    with smtp() as dialog:
        if dialog.encrypt() != certificate:
            raise Otherwise("Postfix shows another certificate")


def smtp() -> Dialog:
    """A session that has said EHLO."""
    dialog = Dialog(25, client=WORLD, server=MX.address)
    dialog.hello("mail.sender.example")
    return dialog


def renewed() -> None:
    """certbot renews as its timer does, and its hook brings it; a session goes on with what it began with."""
    before = certified()
    with smtp() as dialog:
        MX.does("certbot renew --force-renewal --no-random-sleep-on-renew")
        wait_for(lambda: certified() != before, "the new certificate on the pages", 20)
        after = certified()

        def shown() -> bool:
            with smtp() as another:
                return another.encrypt() == after

        wait_for(shown, "Postfix to show it", 20)
        if dialog.encrypt() != before:
            raise Otherwise("the session from before is shown another certificate than it began with")
        dialog.command("EHLO mail.sender.example")
        answers = dialog.transaction(SENDER, [ALIAS], letter(ALIAS).as_bytes().replace(b"\n", b"\r\n"))
        if not answers.accepted:
            raise Otherwise(f"the session from before hears {answers}")


@contextmanager
def asked_for_pages() -> Iterator[None]:
    """One question after the other meanwhile, each by a connection of its own; all are answered."""
    over, heard = Event(), []

    def ask() -> None:
        while not over.is_set():
            try:
                heard.append(got(opened(443, anybody()), "/livez").status)
            except OSError as error:
                heard.append(str(error))

    asking = Thread(target=ask)
    asking.start()
    try:
        wait_for(lambda: len(heard) > 5, "answers before", 20)
        yield
        count = len(heard)
        wait_for(lambda: len(heard) > count + 5, "answers after", 20)
    finally:
        over.set()
        asking.join()
    if set(heard) != {200}:
        raise Otherwise(f"pages were refused: {heard}")
    note(f"           {len(heard)} questions")


def releases() -> None:
    """One more in force, the one before again, and the refusal where the schema has gone ahead."""
    first = in_force()
    old = [f"0.0.{number}-old" for number in range(5)]
    for number, name in enumerate(old):
        MX.does(f"mkdir /opt/smtpy/releases/{name}; touch -d 200{number}-01-01 /opt/smtpy/releases/{name}")
    commit("another release")
    with step("upgrade.yml: another release, after a backup; the oldest go"):
        changes(HOSTS, lambda number: number > 0, "upgrade.yml")
        second = in_force()
        there = set(MX.does("ls /opt/smtpy/releases").split())
        if first == second or there != {first.name, second.name, *old[2:]}:
            raise Otherwise(f"{second} is in force, after {first}; there are {there}")
        MX.does("ls /var/backups/smtpy/before-*.age")
    with step("rollback.yml: the release before"):
        changes(HOSTS, lambda number: number > 0, "rollback.yml")
        if in_force() != first:
            raise Otherwise(f"the rollback left {in_force()} in force, not {first}")
    with step("rollback.yml refuses a schema that is ahead"):
        head = MX.does("cd / && /opt/smtpy/current/bin/python -c 'from smtpy.store.migrate import head; print(head())'")
        pretend("9999")
        refused = play("rollback.yml")
        pretend(head)
        if refused.returncode == 0 or "schema_back=true" not in refused.stdout or in_force() != first:
            raise Otherwise(f"{refused.stdout}{refused.stderr}")


def pretend(revision: str) -> None:
    """Have the database say that it is at this revision."""
    database = "sqlite3.connect('/var/lib/smtpy/smtpy.db', isolation_level=None)"
    MX.does(f'python3 -c "import sqlite3; {database}.execute({SAY!r}, ({revision!r},))"')


def shared(world: World) -> None:
    """PostgreSQL and Redis in the place of a file and of memory, by passwords out of the vault."""
    say("vault", **SHARED)
    groups = {"database": {"hosts": {MX.name: None}}, "counters": {"hosts": {MX.name: None}}}
    (MINE / "shared.yml").write_text(yaml.safe_dump(groups))
    with step("site.yml with PostgreSQL and Redis"):
        changes(HOSTS, lambda number: number > 5, "site.yml")
    with step("site.yml again changes nothing"):
        changes(HOSTS, lambda number: number == 0, "site.yml")
    with step("units run, and are not exposed; the ports of both are open to who was named"):
        units_run(MX)
        ports_are_right(MX, (*OPEN, 5432, 6379))
    with step("smtpy restore brings back what was declared; nothing listens meanwhile"):
        come_back()
        pages_lack_nothing(MX)
    with step("a message is forwarded"):
        forwarded(world, MX)


def come_back() -> None:
    """Out of the backup from before the upgrade, into the database that is empty."""
    MX.does(f"umask 077; echo {IDENTITY} >/root/backup-key.txt; systemctl stop smtpy.target")
    if left := MX.does("systemctl list-units --no-legend --plain --state=active,deactivating 'smtpy*'"):
        raise Otherwise(f"everything is stopped, and there is {left}")
    MX.does("smtpy restore /var/backups/smtpy/before-*.age --identity /root/backup-key.txt")
    MX.does("systemctl start smtpy.target")


def in_force() -> PurePath:
    """The release that `current` leads to."""
    return PurePath(MX.does("readlink /opt/smtpy/current"))
