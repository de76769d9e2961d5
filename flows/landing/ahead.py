"""Reads ahead in a thread, so that the next block is ready while the last is being sent."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_POLL_SECONDS = 0.1
_SWITCH_SECONDS = 0.0002


@contextmanager
def read_ahead_together(
    items: Iterator[Item], depth: int, is_enough: Callable[[Sequence[Item]], bool]
) -> Iterator[Iterator[list[Item]]]:
    """Yield lists of the same items: whatever waits when it is asked for, until it is enough.

    Nothing is waited for but the first item of a list, so that a slow source is taken from item
    by item, and a fast one at the pace of who takes.
    """
    waiting: Queue[Item | _End] = Queue(maxsize=depth)
    with _reading(items, waiting):
        yield _consume_together(waiting, is_enough)


class _End:
    """Marks the end, with what ended it."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def read_ahead(items: Iterator[Item], depth: int = 1) -> Iterator[Iterator[Item]]:
    """Yield an iterator over the same items, at most `depth` of them waiting.

    What the items raise is raised here; leaving the block stops the reading.
    """
    waiting: Queue[Item | _End] = Queue(maxsize=depth)
    with _reading(items, waiting):
        yield _consume(waiting)


@contextmanager
def _reading(items: Iterator[Item], waiting: "Queue[Item | _End]") -> Iterator[None]:
    """Read in a thread for as long as the block lasts."""
    stop = Event()
    thread = Thread(target=_produce, args=(items, waiting, stop), daemon=True)
    switch_interval = sys.getswitchinterval()
    # The sender wakes up for every full socket buffer; it must not wait 5 ms for its turn.
    sys.setswitchinterval(_SWITCH_SECONDS)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(switch_interval)


def _produce(items: Iterator[Item], waiting: "Queue[Item | _End]", stop: Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            _put(item, waiting, stop)
            if stop.is_set():
                return
    except BaseException as raised:  # noqa: BLE001 - it is raised again where it is awaited
        error = raised
    _put(_End(error), waiting, stop)


def _put(item: Item | _End, waiting: "Queue[Item | _End]", stop: Event) -> None:
    while not stop.is_set():
        try:
            waiting.put(item, timeout=_POLL_SECONDS)
        except Full:
            continue
        return


def _consume(waiting: "Queue[Item | _End]") -> Iterator[Item]:
    while True:
        item = waiting.get()
        if not isinstance(item, _End):
            yield item
        elif item.error:
            raise item.error
        else:
            return


def _consume_together(
    waiting: "Queue[Item | _End]", is_enough: Callable[[Sequence[Item]], bool]
) -> Iterator[list[Item]]:
    end: _End | None = None
    while end is None:
        together: list[Item] = []
        item: Item | _End | None = waiting.get()
        while item is not None and end is None:
            if isinstance(item, _End):
                end = item
            else:
                together.append(item)
                item = None if is_enough(together) else _at_once(waiting)
        if together:
            yield together
    if end.error:
        raise end.error


def _at_once(waiting: "Queue[Item | _End]") -> Item | _End | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None
