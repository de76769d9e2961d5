"""Facts about other processes, and stopping them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def command_of(pid: int) -> str:
    """Return the command line of a living process; empty when it is gone or only a zombie."""
    if Path("/proc/self").exists():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return line.replace(b"\0", b" ").decode(errors="replace").strip()
    listing = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="],  # noqa: S607 - where there is no /proc
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.strip()


def end(pid: int, first: signal.Signals, last: signal.Signals, *, patience: float = 60) -> None:
    """Ask a process to stop, insist when it has not after `patience` seconds, return once gone."""
    for number in (first, last):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not command_of(pid), patience):
            return


def wait_until(condition: Callable[[], bool], seconds: float, *, pause: float = 0.05) -> bool:
    """Return whether the condition came true within the time given."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
