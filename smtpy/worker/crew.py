"""Many waits at once: tasks done by a few threads, which nobody has to wait for when the process is to end."""

import contextlib
import queue
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_LOOK_SECONDS = 0.1  # between two looks whether to stop


def each(
    tasks: Sequence[T], work: Callable[[T], R], threads: int, stopping: Event
) -> Iterator[tuple[T, R | Exception]]:
    """What became of each task, as they end. Once `stopping` is set no task is begun, and none is waited for."""
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[T, R | Exception]] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    for number in range(min(threads, len(tasks))):
        Thread(target=_work, args=(waiting, done, work, stopping), name=f"crew-{number}", daemon=True).start()
    try:
        for _ in tasks:
            yield _next(done, stopping)
    except _Stopped:
        return
    finally:
        with contextlib.suppress(queue.Empty):  # whoever listens no more wants no more begun
            while True:
                waiting.get_nowait()


class _Stopped(Exception):
    """There is no time for the rest."""


def _next(done: "queue.SimpleQueue[R]", stopping: Event) -> R:
    while not stopping.is_set():
        with contextlib.suppress(queue.Empty):
            return done.get(timeout=_LOOK_SECONDS)
    raise _Stopped


def _work(
    waiting: "queue.SimpleQueue[T]",
    done: "queue.SimpleQueue[tuple[T, R | Exception]]",
    work: Callable[[T], R],
    stopping: Event,
) -> None:
    while not stopping.is_set():
        try:
            task = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((task, work(task)))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits, and judged there
            done.put((task, error))
