"""What a host itself can lack: the right time, room, and a way out. Each seen good and bad."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from smtpy.config import judge
from smtpy.doctor import clock, disk, outward
from smtpy.doctor.finding import WARNING
from smtpy.store.events import MailEvent
from tests.admin.conftest import engine, sqlite_template, template  # noqa: F401 - fixtures
from tests.failures.disks import mounted
from tests.test_config import NEEDED

# --- Clocks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (0, os.EX_OK, "is kept right"),
        (1, os.EX_OK, "is kept right"),  # a leap second comes
        (clock.TIME_ERROR, WARNING, "nothing keeps"),
        (None, os.EX_OK, "not known"),
    ],
)
def test_what_the_kernel_says_of_its_clock(state: int | None, code: int, words: str) -> None:
    found = clock.told(state)
    assert (found.code, words in found.words, bool(found.fix)) == (code, True, code == WARNING)


def test_the_kernel_is_asked() -> None:
    """`timedatectl` asks it the same, where systemd runs; here it is known whatever runs."""
    assert clock.kernel() in range(clock.TIME_ERROR + 1)
    assert [each.subject for each in clock.examine()] == ["clock"]


SHIFTS = {
    "the same": (0, os.EX_OK, "agree"),
    "ahead": (-7, WARNING, "7 s ahead of"),
    "behind": (60, WARNING, "60 s behind"),
}


@pytest.mark.parametrize(("seconds", "code", "words"), SHIFTS.values(), ids=list(SHIFTS))
def test_a_clock_that_differs_from_the_database_s(
    engine: Engine,  # noqa: F811
    seconds: int,
    code: int,
    words: str,
) -> None:
    if engine.dialect.name == "sqlite":
        assert not list(clock.against(engine))
        return
    theirs = f"SELECT pg_catalog.clock_timestamp() + interval ''{seconds} s''"
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA shifted"))
        connection.execute(
            text(f"CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS '{theirs}'")
        )
        connection.execute(text(f"ALTER DATABASE {engine.url.database} SET search_path = shifted, pg_catalog, public"))
    engine.dispose()  # it counts for connections to come
    (found,) = clock.against(engine)
    assert (found.code, words in found.words) == (code, True), found


# --- Room ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 MB and 400 files."""
    folder = tmp_path / "small"
    folder.mkdir()
    with mounted(folder, 100, "nr_inodes=400"):
        yield folder


def filled(path: Path, megabytes: int) -> None:
    """A file that takes room."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, megabytes << 20)


def test_a_disk_that_fills_up(small: Path, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "main.cf").write_text(f"compatibility_level = 3.6\nqueue_directory = {small}\n")
    (etc / "master.cf").touch()
    os.utime(etc / "main.cf", (0, 0))  # Postfix waits for what is younger than a second
    settings = judge({**NEEDED, "state_dir": str(small), "message_size_limit": 4 << 20, "backup_dir": None})

    def look() -> tuple[int, str]:
        (found,) = disk.examine(settings, etc)  # state_dir lies on the same, and is said once
        assert bool(found.fix) == bool(found.code)
        return found.code, found.words

    assert look() == (os.EX_OK, f"{small}: 0.1 GB left, 100%")
    filled(small / "one", 91)
    assert look() == (WARNING, f"{small}: 0.0 GB left, 9% of its file system")
    filled(small / "two", 4)  # less than one and a half of the largest message
    code, words = look()
    assert (code, "takes no mail until there is more" in words) == (os.EX_CANTCREAT, True)
    (small / "one").unlink()
    (small / "two").unlink()
    for number in range(385):
        (small / str(number)).touch()
    code, words = look()
    assert (code, bool(re.search(r"room for \d+ more files", words))) == (WARNING, True)


def test_without_postfix_the_queue_is_no_matter(tmp_path: Path) -> None:
    settings = judge({**NEEDED, "state_dir": str(tmp_path), "message_size_limit": 1 << 60})
    assert [each.code for each in disk.examine(settings, tmp_path)] in ([os.EX_OK], [WARNING])
    settings = judge({**NEEDED, "state_dir": str(tmp_path / "none")})
    assert [each.words for each in disk.examine(settings, tmp_path)] == ["not known: none of the folders is there"]


# --- The way out --------------------------------------------------------------------------------------------------

OUT, SHUT = "mail.example[198.51.100.{}]:25", "connect to mail.example[198.51.100.{}]:25: Connection timed out"
WAYS: dict[str, tuple[list[tuple[str, str, str]], list[int]]] = {
    "nothing sent yet": ([], []),
    "shut": ([("deferred", "none", SHUT.format(each)) for each in range(3)], [WARNING]),
    "too few to tell": ([("deferred", "none", SHUT.format(each % 2)) for each in range(9)], []),
    "other servers take time": (
        [("sent", OUT.format(9), "250 ok"), *(("deferred", "none", SHUT.format(each)) for each in range(5))],
        [os.EX_OK],
    ),
    "a server that says later": ([("deferred", OUT.format(9), "450 4.2.0 later")], [os.EX_OK]),
    "only to ourselves": (
        [("sent", "127.0.0.1[127.0.0.1]:25", "250"), *(("deferred", "none", SHUT.format(each)) for each in range(3))],
        [WARNING],
    ),
    "by a relay": ([("sent", "relay.example[192.0.2.7]:587", "250 ok")], []),
}


@pytest.mark.parametrize(("rows", "codes"), WAYS.values(), ids=list(WAYS))
def test_port_25_outward(engine: Engine, rows: list[tuple[str, str, str]], codes: list[int]) -> None:  # noqa: F811
    now = datetime.now(UTC)
    attempts = [("one", now, each) for each in rows]
    attempts += [("other", now - timedelta(hours=25), ("sent", OUT.format(1), "250 ok"))]  # that was yesterday
    with engine.begin() as connection:
        for number, (host, at, (kind, relay, words)) in enumerate(attempts):
            told = {"host": host, "at": at, "kind": kind, "relay": relay, "words": words, "queue_id": "4Qx"}
            connection.execute(MailEvent.__table__.insert().values(digest=str(number), **told))  # type: ignore[attr-defined]
    found = list(outward.examine(engine))
    assert [each.code for each in found] == codes
    assert all(each.words.startswith("one reache") for each in found)
