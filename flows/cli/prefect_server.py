"""Prefect's own server and worker: where they are, how to reach them, how to start them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit
from urllib.request import urlopen

from flows.core.databases import database_name, ensure_database
from flows.core.errors import WarehouseUnavailableError
from flows.core.processes import free_port, launch_detached, processes_with, wait_until
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url

WORK_POOL = "concord"
FIRST_PORT = 4200
PORTS = 100
START_SECONDS = 180
PORT_SECONDS = 2
# Everything started below CONCORD_HOME carries this, so that it is found whatever happened.
MARK = "CONCORD_STACK"
SERVER, WORKER, RUN = "prefect server start", "prefect worker start", "prefect.engine"


@dataclass(frozen=True)
class PrefectServer:
    """Prefect's server for one CONCORD_HOME; its state is a database beside the warehouse."""

    home: Path

    @property
    def folder(self) -> Path:
        """Logs, ports and Prefect's own home."""
        return self.home / "prefect"

    @property
    def port(self) -> int:
        """The port it listens on, or did when it last ran."""
        path = self.folder / "port"
        return int(path.read_text(encoding="ascii")) if path.exists() else FIRST_PORT

    @property
    def ui(self) -> str:
        """Where people look."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        """Where programs talk to it."""
        return f"{self.ui}/api"

    def processes(self, kind: str = "") -> dict[int, str]:
        """Return what runs for this home: the server, the worker, and the runs it started."""
        marked = processes_with(MARK, str(self.home))
        return {pid: line for pid, line in marked.items() if kind in line}

    def runs_flows(self) -> bool:
        """Return whether a worker, or a run that outlived its worker, is at work."""
        return bool(self.processes(WORKER) or self.processes(RUN))

    def is_up(self) -> bool:
        """Return whether this home's server answers; a stranger on its port does not count."""
        return bool(self.processes(SERVER)) and _answers(f"{self.api}/health")

    def start(self) -> None:
        """Start the server unless it answers, and wait until it does.

        Raises WarehouseUnavailableError when it does not come up.
        """
        if self.is_up():
            return
        if not self.processes(SERVER):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._choose_port()
            command = ("server", "start", "--host", "127.0.0.1", "--port", str(self.port))
            self._launch("server", command, stack_environment() | self._ui_environment())
        if not wait_until(self._is_up_or_gone, START_SECONDS, pause=0.2) or not self.is_up():
            raise WarehouseUnavailableError(
                f"Prefect's server did not start; see {self.folder / 'server.log'}."
            )

    def start_worker(self) -> None:
        """Start the worker that runs flows on this machine, unless one runs."""
        if not self.processes(WORKER):
            command = ("worker", "start", "--pool", WORK_POOL, "--type", "process")
            self._launch("worker", (*command, "--name", "this machine"), stack_environment())

    def _ui_environment(self) -> dict[str, str]:
        # By default the pages ask port 4200, whoever listens there, and are unpacked in .venv.
        return {
            "PREFECT_SERVER_UI_API_URL": self.api,
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(self.folder / "ui"),
        }

    def _is_up_or_gone(self) -> bool:
        return self.is_up() or not self.processes(SERVER)

    def _choose_port(self) -> None:
        # The sockets of a process that was killed stay open a moment longer than it lives.
        wait_until(lambda: free_port(self.port) is not None, PORT_SECONDS)
        candidates = (self.port, *range(FIRST_PORT, FIRST_PORT + PORTS), 0)
        port = next(found for wanted in candidates if (found := free_port(wanted)))
        (self.folder / "port").write_text(str(port), encoding="ascii")

    def _launch(self, name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        launch_detached(
            (sys.executable, "-m", "prefect", *command),
            log=self.folder / f"{name}.log",
            pid_file=self.folder / f"{name}.pid",
            environment=environment,
            folder=settings().project_root,
        )


def prefect_environment() -> dict[str, str | None]:
    """Return the variables Prefect needs: state in Postgres, telemetry off, the server if it is up.

    None stands for a variable that must not be set: with an empty address Prefect loses events.
    """
    server = PrefectServer(settings().home)
    configured = settings().environment.get("PREFECT_API_URL") or None
    return {
        "PREFECT_HOME": str(server.folder),
        "PREFECT_API_URL": server.api if server.is_up() else configured,
        "PREFECT_API_DATABASE_CONNECTION_URL": _asyncpg(state_url()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Slots of a limit that a killed run held come free although the server was killed too.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "PREFECT_WORKER_QUERY_SECONDS": "3",
        "DO_NOT_TRACK": "1",
    }


def stack_environment() -> dict[str, str]:
    """Return the whole environment of a process that belongs to this home's stack."""
    current = settings()
    environment: dict[str, str | None] = {
        **current.environment,
        **prefect_environment(),
        "CONCORD_HOME": str(current.home),
        "CONCORD_CONNECTIONS": str(current.connections_file),
        # The flows are found wherever the worker is started from.
        "PYTHONPATH": str(current.project_root),
        MARK: str(current.home),
    }
    return {name: value for name, value in environment.items() if value}


def state_url() -> str:
    """Return the URL of the database that holds Prefect's state, which is made when missing."""
    url = warehouse_url()
    name = f"prefect_{database_name(url)}" if settings().warehouse_url else "prefect"
    return ensure_database(url, name)


def _asyncpg(url: str) -> str:
    """Say the same in the words of the driver Prefect uses."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    kept = {"ssl": options["sslmode"]} if "sslmode" in options else {}
    address = parts.netloc
    credentials, _, host = parts.netloc.rpartition("@")
    if unquote(host).startswith("/"):  # the folder of a unix socket
        address, kept["host"] = f"{credentials}@", unquote(host)
    return urlunsplit(("postgresql+asyncpg", address, parts.path, urlencode(kept), ""))


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as reply:  # noqa: S310 - our own loopback address
            return bool(reply.status == 200)  # noqa: PLR2004 - HTTP's OK
    except (URLError, OSError):
        return False
