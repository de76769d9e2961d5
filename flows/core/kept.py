"""What takes seconds to work out from files alone, kept for the processes that come after."""

import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from os import getpid
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")


def kept(name: str, stamp: str, make: Callable[[], Made], folders: Sequence[Path]) -> Made:
    """Return what an earlier process made for the same stamp, else make it and keep it.

    It lies in the first of `folders` that can be written to: a project may be read-only.
    """
    for folder in folders:
        found: Made | None = _read(folder / name, stamp)
        if found is not None:
            return found
    made = make()
    for folder in folders:
        with suppress(OSError):
            _write(folder / name, stamp, made)
            break
    return made


def _read(path: Path, stamp: str) -> Any | None:  # noqa: ANN401 - whatever was kept
    # Whatever is wrong with the file, making it anew is the remedy.
    with suppress(Exception), path.open("rb") as file:
        if file.readline().decode().strip() == stamp:
            return pickle.load(file)  # noqa: S301 - written by us, beside our own code
    return None


def _write(path: Path, stamp: str, made: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{getpid()}")
    unfinished.write_bytes(f"{stamp}\n".encode() + pickle.dumps(made))
    unfinished.replace(path)
