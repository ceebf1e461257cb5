"""A log that grows, is renamed, copied, cut off: each line once and in order, whenever the reader comes back."""

import os
from pathlib import Path

import pytest

from smtpy.store.happenings import Position
from smtpy.worker import tail as tail_module
from smtpy.worker.tail import Tail


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "GRACE_SECONDS", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mail.log"


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


class Reader:
    """Reads all there is, and knows where it was."""

    def __init__(self, path: Path) -> None:
        self.path, self.place, self.tail = path, None, Tail(path, None)
        self.lines: list[str] = []
        self.place: Position | None = None

    def read(self) -> list[str]:
        """What is new."""
        new = []
        for _ in range(1000):  # a file that is over shows on a look of its own
            found = self.tail.read()
            if found:
                lines, self.place = found
                new += [line.decode() for _, line in lines]
        return new

    def restart(self) -> None:
        """As a new process."""
        self.tail.close()
        self.tail = Tail(self.path, self.place)


@pytest.fixture(params=[False, True], ids=["running", "restarted"])
def reader(request: pytest.FixtureRequest, path: Path) -> Reader:
    """One that has read `one` and `two`; restarted before each reading, or not."""
    write(path, "one", "two")
    made = Reader(path)
    assert made.read() == ["one", "two"]
    if request.param:
        plain = made.read

        def restarted() -> list[str]:
            made.restart()
            return plain()

        made.read = restarted  # type: ignore[method-assign]
    return made


def test_growing(reader: Reader, path: Path) -> None:
    assert reader.read() == []
    write(path, "three")
    assert reader.read() == ["three"]


def test_half_a_line_waits(reader: Reader, path: Path) -> None:
    with path.open("a") as file:
        file.write("thr")
    assert reader.read() == []
    with path.open("a") as file:
        file.write("ee\nfo")
    assert reader.read() == ["three"]
    write(path, "ur")
    assert reader.read() == ["four"]


def test_renamed_and_written_to_after_that(reader: Reader, path: Path) -> None:
    old = path.rename(path.with_name("mail.log.1"))
    write(old, "three")
    assert reader.read() == ["three"]
    path.touch()  # made by logrotate, not written to before Postfix is told
    write(old, "four")
    assert reader.read() == ["four"]
    write(old, "five")
    write(path, "six")
    assert reader.read() == ["five", "six"]
    write(path, "seven")
    assert reader.read() == ["seven"]


def test_renamed_twice(reader: Reader, path: Path) -> None:
    write(path, "three")
    path.rename(path.with_name("mail.log.2"))
    write(path, "four")
    path.rename(path.with_name("mail.log.1"))
    os.utime(path.with_name("mail.log.2"), (1, 1))
    os.utime(path.with_name("mail.log.1"), (2, 2))
    write(path, "five")
    assert reader.read() == ["three", "four", "five"]


def test_copied_and_cut_off(reader: Reader, path: Path) -> None:
    write(path, "three")
    path.with_name("mail.log.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)
    assert reader.read() == ["three"]
    write(path, "four")
    assert reader.read() == ["four"]


def test_cut_off_and_longer_than_before(reader: Reader, path: Path) -> None:
    write(path, "three")
    path.with_name("mail.log.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)
    write(path, *(f"line {number}" for number in range(20)))
    assert reader.read() == ["three", *(f"line {number}" for number in range(20))]


def test_cut_off_in_the_middle_of_a_line(reader: Reader, path: Path) -> None:
    with path.open("a") as file:
        file.write("half")
    assert reader.read() == []
    os.truncate(path, 0)
    write(path, "three")
    assert reader.read() == ["three"]


def test_compressed_ones_are_let_be(reader: Reader, path: Path) -> None:
    path.rename(path.with_name("mail.log.1.gz"))
    path.with_name("mail.log.1.gz").with_name("mail.log.2").write_text("old\n")
    write(path, "three")
    assert reader.read() == ["three"]


def test_no_log_is_an_error_until_there_is_one(path: Path) -> None:
    reader = Reader(path)
    with pytest.raises(FileNotFoundError):
        reader.tail.read()
    write(path, "one")
    assert reader.read() == ["one"]


def test_more_than_one_reading_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "CHUNK", 10)
    lines = [f"line number {number}" for number in range(50)]
    write(path, *lines)
    reader = Reader(path)
    assert reader.read() == lines


def test_a_log_of_another_place_is_read_from_its_beginning(path: Path) -> None:
    write(path, "one")
    tail = Tail(path, Position("0:0", 3, b"xyz"))
    found = tail.read()
    assert found is not None
    assert [line for _, line in found[0]] == [b"one"]
