"""Everything that runs between `concord up` and `concord down`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from flows.cli.prefect_server import (
    SERVER,
    WORKER,
    PrefectServer,
    prefect_environment,
    stack_environment,
)
from flows.core import embedded
from flows.core.errors import WarehouseUnavailableError
from flows.core.processes import command_of, wait_until
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url

__all__ = ["Stack", "down", "prefect_environment", "status", "up"]

GRACE_SECONDS = 20
STOPPED = "stopped"
SANDBOX = "flows.sandbox.vendors"


@dataclass(frozen=True)
class Stack:
    """What is up, and where."""

    ui: str
    text: str


def up() -> Stack:
    """Start what does not run yet: Postgres, Prefect's server and worker; register the deployments.

    Raises WarehouseUnavailableError when something does not come up.
    """
    warehouse_url.cache_clear()  # Postgres may have died since this process last asked
    server = PrefectServer(settings().home)
    server.start()
    _register(server)
    server.start_worker()
    lines = (
        f"Flows, runs, artifacts:  {server.ui}",
        f"Run the whole job:       {server.ui}/deployments",
        f"Warehouse:               {_warehouse_text()}",
        f"Logs:                    {server.folder}",
        "Stop everything:         concord down",
    )
    return Stack(ui=server.ui, text="\n".join(lines))


def down() -> str:
    """Stop all that runs for this CONCORD_HOME, also what an unclean exit left; say what it was."""
    server = PrefectServer(settings().home)
    running = server.processes()
    _end(pid for pid, line in running.items() if SERVER not in line)
    _end(server.processes())
    was_running = embedded.status().is_running
    embedded.stop()
    warehouse_url.cache_clear()
    stopped = [
        *(["worker"] if any(WORKER in line for line in running.values()) else []),
        *(["Prefect server"] if any(SERVER in line for line in running.values()) else []),
        *(["Postgres"] if was_running else []),
        *(["sandbox servers"] if any(SANDBOX in line for line in running.values()) else []),
    ]
    return f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running."


def status() -> dict[str, str]:
    """Say of every part whether it runs and where."""
    server = PrefectServer(settings().home)
    return {
        "warehouse": _warehouse_text(),
        "prefect": server.ui if server.is_up() else STOPPED,
        "worker": "running" if server.processes(WORKER) else STOPPED,
    }


def _register(server: PrefectServer) -> None:
    log = server.folder / "register.log"
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli.register"],
            env=stack_environment(),
            cwd=settings().project_root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise WarehouseUnavailableError(f"The deployments could not be registered; see {log}.")


def _end(pids: Iterable[int]) -> None:
    """Ask all to stop, then insist."""
    asked = list(pids)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in filter(command_of, asked):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if wait_until(lambda: not any(map(command_of, asked)), GRACE_SECONDS, pause=0.1):
            return


def _warehouse_text() -> str:
    if settings().warehouse_url:
        return "your own Postgres (CONCORD_WAREHOUSE_URL)"
    current = embedded.status()
    return f"Postgres on 127.0.0.1:{current.port}" if current.is_running else STOPPED
