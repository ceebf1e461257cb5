"""What is written is read by its key, by `age` itself, and by nobody else; and what was harmed is not read."""

from pathlib import Path

import pytest
from pyrage import decrypt, x25519

from smtpy.backup.archive import BadArchive, reading, writing

PARTS = [("first", b"one"), ("second", bytes(range(256)) * 2000), ("third", b"")]


@pytest.fixture
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture
def archive(tmp_path: Path, identity: x25519.Identity) -> Path:
    path = tmp_path / "a.age"
    with writing(path, [str(identity.to_public())]) as add:
        for name, octets in PARTS:
            add(name, octets)
    return path


def read(path: Path, identity: x25519.Identity) -> list[tuple[str, bytes]]:
    with reading(path, str(identity)) as parts:
        return list(parts)


def test_what_went_in_comes_out(archive: Path, identity: x25519.Identity) -> None:
    assert read(archive, identity) == PARTS
    assert archive.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in archive.parent.iterdir()] == ["a.age"]


def test_each_of_several_keys_opens_it(tmp_path: Path) -> None:
    keys = [x25519.Identity.generate() for _ in range(2)]
    with writing(tmp_path / "a", [str(each.to_public()) for each in keys]) as add:
        add("x", b"y")
    assert [read(tmp_path / "a", each) for each in keys] == [[("x", b"y")]] * 2


def test_nothing_is_in_clear(archive: Path) -> None:
    assert b"first" not in archive.read_bytes()


def test_another_key_does_not_open_it(archive: Path) -> None:
    with pytest.raises(BadArchive, match="another key"):
        read(archive, x25519.Identity.generate())


@pytest.mark.parametrize("cut", [0, 10, 200, -1])
def test_what_was_cut_off_is_not_read(archive: Path, identity: x25519.Identity, cut: int) -> None:
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(BadArchive, match="damaged"):
        read(archive, identity)


def test_a_changed_octet_is_noticed_wherever_it_is(archive: Path, identity: x25519.Identity) -> None:
    whole = archive.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 50)):
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(BadArchive):
            read(archive, identity)


def test_a_reader_may_leave_early(archive: Path, identity: x25519.Identity) -> None:
    def half() -> None:
        with reading(archive, str(identity)) as parts:
            assert next(parts) == PARTS[0]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()


def test_a_writer_that_fails_leaves_the_file_that_was_there(archive: Path, identity: x25519.Identity) -> None:
    def half() -> None:
        with writing(archive, [str(identity.to_public())]) as add:
            add("x", b"y")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert read(archive, identity) == PARTS
    assert [each.name for each in archive.parent.iterdir()] == ["a.age"]


def test_a_full_disk_is_an_error_and_no_file(tmp_path: Path, identity: x25519.Identity) -> None:
    (tmp_path / ".out.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="space"), writing(tmp_path / "out", [str(identity.to_public())]) as add:
        add("x", b"y" * 10_000_000)
    assert not (tmp_path / "out").exists()


def test_it_is_plain_age_and_tar(archive: Path, identity: x25519.Identity) -> None:
    assert decrypt(archive.read_bytes(), [identity])[:2] == b"\x1f\x8b"
