"""SMTPy's pages as people get them: gunicorn on a free port, and a small world in the database behind it."""

import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smtpy.admin import audit, links, mailboxes, members, sessions
from smtpy.admin.change import Change, change, reading
from smtpy.config import Settings, judge
from smtpy.seed import plant
from smtpy.seed.cast import ADMIN, OWNER
from smtpy.store import migrate
from smtpy.store.accounts import Passkey, Purpose
from smtpy.store.engine import open_engine
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.schema import Alias, Domain, Mailbox, User
from tests.dns import Zone
from tests.nameserver import Nameserver
from tests.waiting import free_ports, until

ANN = OWNER  # has aliases, domains, sixty days of mail
NEW = "newcomer@people.example"  # has nothing yet
OPS = ADMIN  # administers
SECRETS = dict.fromkeys(("secret_keys", "srs_secrets", "encryption_keys"), "x" * 48)


@dataclass
class Site:
    """The application, running. `ids` are the names of rows by what they are: `ids["alias"]`."""

    folder: Path
    settings: Settings
    engine: Engine
    ids: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    nameserver: Nameserver = field(default_factory=lambda: Nameserver(Zone({})))

    @property
    def origin(self) -> str:
        """Where it is."""
        return self.settings.web_origin

    @classmethod
    def made(cls, folder: Path) -> "Site":
        """Its database, with people in it; nothing runs yet."""
        (port,) = free_ports(1)
        names = {"hostname": "mx.our.example", "postmaster": OPS, "web_origin": f"http://localhost:{port}"}
        settings = judge({**SECRETS, **names, "state_dir": str(folder), "run_dir": str(folder / "run")})
        engine = open_engine(settings.database_url)
        migrate.upgrade(engine)
        site = cls(folder, settings, engine)
        site.populate()
        return site

    def populate(self) -> None:
        """The town of `smtpy seed`, somebody who has nothing yet, and one of each kind to look at."""
        plant(self.engine, self.settings, "small", 1, datetime.now(UTC))
        with change(self.engine, by="test", hostname=self.settings.hostname) as c:
            members.add(c, NEW)
            owner, new = (members.find(c.session, email).id for email in (ANN, NEW))
            passkey = Passkey(user_id=owner, credential=b"a", public=b"b", sign_count=0, name="Laptop")
            c.session.add(passkey)
            c.session.flush()
            self.ids = {
                "passkey": passkey.uuid,
                "first": links.make(c, Purpose.ADMIN),
                "invited": links.make(c, Purpose.INVITE, email="new@people.example"),
                "joining": links.make(c, Purpose.INVITE, email="joining@people.example"),  # for the test that uses it
                "reset": links.make(c, Purpose.RESET, user_id=new),
                "mailbox_link": self._waiting(c),
                "verify": links.make(c, Purpose.VERIFY, email="another@people.example"),
            }
        with reading(self.engine) as session:
            kinds = {"alias": Alias, "domain": Domain, "mailbox": Mailbox}
            for name, kind in kinds.items():
                mine = select(kind.uuid).where(kind.owner_id == owner, kind.deleted_at.is_(None)).order_by(kind.id)
                self.ids[name] = session.scalars(mine.limit(1)).one()
            came = select(JournalRow.uuid).join(JournalRecipient, JournalRecipient.journal_id == JournalRow.id)
            came = came.join(Alias, Alias.id == JournalRecipient.alias_id).where(Alias.owner_id == owner)
            self.ids["user"] = members.find(session, ANN).uuid
            self.ids["act"] = audit.page(session, audit.Wanted(), limit=1)[0].id
            self.ids["message"] = session.scalars(came.order_by(JournalRow.id.desc()).limit(1)).one()

    def _waiting(self, c: Change) -> str:
        """The token of a link that verifies a mailbox."""
        waiting = mailboxes.add(c, "unverified@inbox.example", owner=ANN, verified=False)
        return mailboxes.ask(c, waiting.uuid)[1]

    def start(self) -> None:
        """Run it until `stop`; should the tests be killed, the kernel tells it (PR_SET_PDEATHSIG)."""
        self.nameserver.__enter__()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("SMTPY_")}
        ours = {
            "HOSTNAME": self.settings.hostname,
            "POSTMASTER": self.settings.postmaster,
            "WEB_ORIGIN": self.origin,
            "WEB_PROXIES": "1",  # so that each browser of the tests may come from an address of its own
            "WEB_BIND": f"127.0.0.1:{self.origin.rpartition(':')[2]}",
            "STATE_DIR": str(self.folder),
            "RUN_DIR": str(self.folder / "run"),
            **dict.fromkeys(("DNS_SERVERS", "CHECK_RESOLVERS"), f"{self.nameserver.host}:{self.nameserver.port}"),
            **{name.upper(): value for name, value in SECRETS.items()},
        }
        gunicorn = ["-m", "gunicorn", "--config", "python:web.gunicorn", "web.wsgi:app"]
        with (self.folder / "web.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", sys.executable, *gunicorn],
                env={**inherited, **{f"SMTPY_{name}": value for name, value in ours.items()}},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            until(self._answers, "gunicorn")
        except BaseException as error:
            error.add_note(self.log())
            self.stop()
            raise

    def _answers(self) -> bool:
        if self.process and self.process.poll() is not None:
            raise ChildProcessError(f"gunicorn ended with {self.process.returncode}")
        try:
            with urllib.request.urlopen(f"{self.origin}/livez", timeout=5) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """End it, and let go of the database."""
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.nameserver.__exit__()
        self.engine.dispose()

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "web.log").read_text(errors="replace")

    def session(self, email: str) -> str:
        """What the cookie of somebody holds who has just signed in."""
        with Session(self.engine) as session:
            user = session.scalars(select(User).where(User.email == email)).one()
            now = datetime.now(UTC)
            visit = sessions.Visit(sessions.new_sid(), member=sessions.member_of(user), authenticated_at=now)
        sessions.save(self.engine, visit, client="", agent="Chromium", now=now)
        return visit.sid
