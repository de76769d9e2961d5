"""The embedded server through clean and unclean starts and stops."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from flows.core.databases import ensure_database
from flows.core.embedded import EmbeddedServer
from flows.core.processes import command_of, wait_until
from flows.core.tuning import configuration

ROOT = Path(__file__).resolve().parents[2]
START_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from flows.core.embedded import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).start())
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path / "a home with spaces")
    yield server
    server.stop()


def _value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _kill(server: EmbeddedServer) -> None:
    pid = server.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not command_of(pid), 10)


def test_starting_twice_gives_the_same_running_server(server: EmbeddedServer) -> None:
    first = server.start()
    pid = server.status().pid
    assert server.start() == first
    assert server.status().pid == pid


def test_data_survives_a_stop_and_the_port_is_remembered(server: EmbeddedServer) -> None:
    url = server.start()
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 1 as one")
    server.stop()
    assert not server.status().is_running
    assert server.start() == url
    assert _value(url, "select one from kept") == 1


def test_a_killed_server_starts_again_with_what_was_committed(server: EmbeddedServer) -> None:
    url = server.start()
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 1 as one")
        connection.execute("set synchronous_commit = on")
    _kill(server)
    assert _value(server.start(), "select one from kept") == 1


def test_a_lock_file_naming_a_foreign_process_does_not_stop_a_start(server: EmbeddedServer) -> None:
    server.start()
    _kill(server)
    lock = server.data / "postmaster.pid"
    _, _, rest = lock.read_text().partition("\n")
    lock.write_text(f"{os.getpid()}\n{rest}")
    assert not server.status().is_running
    assert _value(server.start(), "select 1") == 1


def test_stopping_never_signals_a_foreign_process(server: EmbeddedServer) -> None:
    server.start()
    _kill(server)
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    (server.data / "postmaster.pid").write_text(f"{sleeper.pid}\n")
    server.stop()
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_a_foreign_listener_on_the_remembered_port_makes_it_choose_another(
    server: EmbeddedServer,
) -> None:
    server.start()
    port = server.status().port
    assert port
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        assert _value(server.start(), "select 1") == 1
        assert server.status().port != port


def test_processes_that_start_it_at_once_share_one_server(server: EmbeddedServer) -> None:
    def start(_: int) -> str:
        command = [sys.executable, "-c", START_IN_ANOTHER_PROCESS, str(server.home)]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    with ThreadPoolExecutor() as pool:
        urls = set(pool.map(start, range(3)))
    assert len(urls) == 1
    assert _value(urls.pop(), "select 1") == 1


def test_a_first_start_killed_half_way_leaves_nothing_half_made(server: EmbeddedServer) -> None:
    command = [sys.executable, "-c", START_IN_ANOTHER_PROCESS, str(server.home)]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        assert wait_until(lambda: any(server.home.glob("postgres.new-*/data/PG_VERSION")), 30)
        os.killpg(process.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert not server.folder.exists()
    assert _value(server.start(), "select 1") == 1
    assert not list(server.home.glob("postgres.new-*"))


def test_a_wrong_password_is_refused_from_the_machine_itself(server: EmbeddedServer) -> None:
    url = server.start()
    password = (server.folder / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "wrong"))


def test_the_password_is_private_and_in_no_log_or_process_list(server: EmbeddedServer) -> None:
    url = server.start()
    path = server.folder / "password"
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute(f"select '{path.read_text()}' from missing".encode())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() not in server.log.read_text()
    pid = server.status().pid
    assert pid
    assert path.read_text() not in command_of(pid)


def test_it_listens_on_the_loopback_interface_only(server: EmbeddedServer) -> None:
    url = server.start()
    assert _value(url, "show listen_addresses") == "127.0.0.1"
    assert _value(url, "show unix_socket_directories") == ""


def test_it_speaks_utf8_and_sorts_the_same_everywhere(server: EmbeddedServer) -> None:
    url = server.start()
    assert _value(url, "show server_encoding") == "UTF8"
    locale = "select datlocprovider::text || datlocale from pg_database where datname = 'concord'"
    assert _value(url, locale) == "bC.UTF-8"


def test_a_configured_size_reaches_the_server(server: EmbeddedServer) -> None:
    url = server.start()
    wanted = dict(line.split(" = ") for line in configuration(1).splitlines())
    assert _value(url, "show work_mem") == wanted["work_mem"]
    assert _value(url, "select pg_size_bytes(current_setting('shared_buffers'))") == _value(
        url, f"select pg_size_bytes('{wanted['shared_buffers']}')"
    )


def test_a_database_is_made_once(warehouse: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(warehouse)["dbname"]
    assert ensure_database(warehouse, str(name)) == warehouse
