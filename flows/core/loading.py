"""Loading large libraries without the garbage collector walking them again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Pause the collector while the block loads what stays for the life of the process.

    Nothing that a module or a parsed project consists of is ever garbage, and looking through it
    takes a fifth of the time that loading takes; afterwards it is left out of every look.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
