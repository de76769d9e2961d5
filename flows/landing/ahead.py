"""Reads ahead in a thread, so that the next block is ready while the last is being sent."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_POLL_SECONDS = 0.1
_SWITCH_SECONDS = 0.0002


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
    stop = Event()
    thread = Thread(target=_produce, args=(items, waiting, stop), daemon=True)
    switch_interval = sys.getswitchinterval()
    # The sender wakes up for every full socket buffer; it must not wait 5 ms for its turn.
    sys.setswitchinterval(_SWITCH_SECONDS)
    thread.start()
    try:
        yield _consume(waiting)
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
