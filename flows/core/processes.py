"""Facts about other processes, and stopping them."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")


def launch_detached(
    command: Sequence[str],
    *,
    log: Path,
    pid_file: Path,
    environment: Mapping[str, str],
    folder: Path,
) -> None:
    """Start a program that outlives this process; its output is added to the log."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
            cwd=folder,
        )
    pid_file.write_text(str(process.pid), encoding="ascii")
    process.returncode = 0  # it is not waited for, which Python would otherwise complain about


def processes_with(variable: str, value: str) -> dict[int, str]:
    """Return the command line of every other process that was given this environment variable."""
    wanted = f"{variable}={value}".encode()
    found: dict[int, str] = {}
    for folder in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = command_of(int(folder.name))
    return {pid: line for pid, line in found.items() if line and pid != os.getpid()}


def command_of(pid: int) -> str:
    """Return the command line of a living process; empty when it is gone or only a zombie."""
    if (PROCESSES / "self").exists():
        try:
            line = (PROCESSES / str(pid) / "cmdline").read_bytes()
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


def free_port(wanted: int) -> int | None:
    """Return the port when nothing listens on it; 0 asks for any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return None
        return int(probe.getsockname()[1])
