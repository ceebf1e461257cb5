"""The disk of Postfix's queue is full: Postfix itself says 452, keeps what it has taken, and takes more when it can."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialog import Answer
from tests.failures.disks import filled, mounted
from tests.failures.village import (
    ALIASES,
    ANN,
    BEN,
    Letter,
    assert_arrives,
    assert_comes_once,
    decisive,
    recovers,
    settle,
    write,
)
from tests.stand import Stand
from tests.waiting import until

FULL_MEANWHILE = Answer(451, "4.3.0", "Error: queue file write error")
LARGEST = 1 << 20  # octets of a message; Postfix wants room for one and a half


@pytest.fixture(scope="module")
def village() -> Iterator[Stand]:
    """Its queue lies on a disk of eight megabytes."""
    environ = {"SMTPY_MESSAGE_SIZE_LIMIT": str(LARGEST)}
    stand = Stand(settings=environ, postfix=(f"message_size_limit = {LARGEST}",))
    queue = queue_of(stand)
    queue.mkdir(parents=True)
    try:
        with mounted(queue, 8):
            try:
                stand.open()
                settle(stand)
                yield stand
            finally:
                if stand.runs("postfix"):
                    stand.stop("postfix")
    finally:
        stand.close()


def queue_of(stand: Stand) -> Path:
    return stand.etc.parent / "queue"


def large(recipient: str) -> Letter:
    """Nine tenths of what is taken."""
    return Large((recipient,))


class Large(Letter):
    """One that takes room."""

    @property
    def data(self) -> bytes:
        return super().data + b"hello\r\n" * (LARGEST * 9 // 10 // 7)


def test_it_says_452_and_loses_nothing(village: Stand) -> None:
    village.inbox.replies[ALIASES[BEN]] = "450 4.2.0 Later"
    waiting, late = write(BEN), write(ANN)
    assert waiting.send(village).accepted
    with filled(queue_of(village)):
        said = decisive(late.send(village))
        assert (said.code, said.status) == (452, "4.3.1")
        village.flush()  # even what it has to note about an attempt finds no room
        doctor = village.cli("doctor", "disk", "--postfix", str(village.etc))
        assert doctor.returncode == os.EX_CANTCREAT
        assert "too little for Postfix: it takes no mail until there is more" in doctor.stdout
        assert [each["queue_id"] for each in village.queue()]
    del village.inbox.replies[ALIASES[BEN]]
    until(lambda: [each["queue_name"] for each in village.queue()] == ["deferred"], "that attempt over")
    village.flush()
    assert_comes_once(village, waiting)
    assert_arrives(village, late, late.send(village))
    assert village.cli("doctor", "disk", "--postfix", str(village.etc)).returncode != os.EX_CANTCREAT


def test_full_while_a_message_comes_in(village: Stand) -> None:
    """There was room at MAIL FROM."""
    letter = large(ANN)
    with village.dialog(client="127.0.0.2") as dialog:
        dialog.hello()
        for command in (f"MAIL FROM:<{letter.sender}>", f"RCPT TO:<{ANN}>"):
            assert dialog.command(command).code == 250
        assert dialog.command("DATA").code == 354
        with filled(queue_of(village)):
            dialog.raw(letter.data + b".\r\n")
            assert dialog.answer() == FULL_MEANWHILE
    assert village.queue() == []
    assert letter.copies(village) == []
    recovers(village)
    assert_arrives(village, letter, letter.send(village))
