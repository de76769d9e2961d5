"""What `concord up` and `concord down` start and stop, for real."""

import importlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import yaml
from prefect import Flow
from psycopg import sql

from flows.cli import stack
from flows.cli.prefect_server import (
    RUN,
    SERVER,
    WORKER,
    PrefectServer,
    prefect_environment,
    stack_environment,
    state_url,
)
from flows.core import embedded
from flows.core.databases import database_name
from flows.core.processes import command_of, wait_until
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url

IDLE_LIMIT = 1_000_000_000
PLAN: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "prefect.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """Bring a whole stack up in a home of its own."""
    home = tmp_path_factory.mktemp("a stack")
    connections = home / "connections.yaml"
    connections.write_text("connections:\n  sales: {system: files, path: extracts}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONCORD_HOME", str(home))
        patch.setenv("CONCORD_CONNECTIONS", str(connections))
        patch.delenv("CONCORD_WAREHOUSE_URL", raising=False)
        patch.setenv("PREFECT_API_URL", "")
        _forget()
        stack.up()
        yield PrefectServer(settings().home)
        stack.down()
    _forget()


def _forget() -> None:
    settings.cache_clear()
    warehouse_url.cache_clear()


def _ask(server: PrefectServer, path: str) -> Any:
    reply = requests.post(f"{server.api}/{path}", json={}, timeout=30)
    reply.raise_for_status()
    return reply.json()


def _deployments(server: PrefectServer) -> dict[str, dict[str, Any]]:
    flows = {flow["id"]: flow["name"] for flow in _ask(server, "flows/filter")}
    return {
        f"{flows[found['flow_id']]}/{found['name']}": found
        for found in _ask(server, "deployments/filter")
    }


def _resident() -> int:
    """Return the memory of the stack, shared pages counted once."""
    postgres = embedded.status().pid
    pids = {*PrefectServer(settings().home).processes(), postgres}
    pids |= {
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/stat")
        if path.read_text().rpartition(")")[2].split()[1] == str(postgres)
    }
    sizes = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return sum(int(text.split("Pss:")[1].split()[0]) * 1024 for text in sizes)


def test_the_ui_is_served_on_the_loopback_interface(server: PrefectServer) -> None:
    assert "<html" in requests.get(server.ui, timeout=30).text.lower()
    with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
        socket.create_connection((_address_of_this_machine(), server.port), timeout=5)


def _address_of_this_machine() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])


def test_every_deployment_is_registered_and_each_connection_lands_hourly(
    server: PrefectServer,
) -> None:
    planned = {
        f"{entry['entrypoint'].rpartition('.')[2].replace('_', '-')}/{entry['name']}"
        for entry in PLAN["deployments"]
    }
    assert set(_deployments(server)) == {*planned, "land/hourly-sales"}


@pytest.mark.parametrize("slug", ["salesforce-credentials", "business-central-credentials"])
def test_the_ui_has_a_form_for_the_credentials_of(slug: str, server: PrefectServer) -> None:
    reply = requests.get(f"{server.api}/block_types/slug/{slug}", timeout=10)
    assert reply.status_code == 200
    assert reply.json()["description"]


def test_the_hourly_landing_knows_its_connection(server: PrefectServer) -> None:
    hourly = _deployments(server)["land/hourly-sales"]
    assert hourly["parameters"] == {"connection": "sales"}
    assert [schedule["slug"] for schedule in hourly["schedules"]] == ["hourly"]


def test_runs_of_one_deployment_wait_for_each_other_but_stewards_do_not(
    server: PrefectServer,
) -> None:
    deployments = _deployments(server)
    assert not deployments.pop("review-matches/on-demand")["global_concurrency_limit"]
    for found in deployments.values():
        assert found["global_concurrency_limit"]["limit"] == 1
        assert found["concurrency_options"]["collision_strategy"] == "ENQUEUE"


def test_up_again_leaves_paused_what_a_person_paused(server: PrefectServer) -> None:
    nightly = _deployments(server)["integrate/nightly"]
    address = f"{server.api}/deployments/{nightly['id']}"
    schedule = f"{address}/schedules/{nightly['schedules'][0]['id']}"
    requests.patch(address, json={"paused": True}, timeout=30).raise_for_status()
    requests.patch(schedule, json={"active": False}, timeout=30).raise_for_status()
    stack.up()
    again = _deployments(server)["integrate/nightly"]
    assert again["paused"]
    assert [one["active"] for one in again["schedules"]] == [False]
    assert not _deployments(server)["integrate/on-demand"]["paused"]


def test_the_state_of_prefect_is_kept_in_postgres(server: PrefectServer) -> None:
    with psycopg.connect(state_url()) as connection:
        row = connection.execute("select count(*) from deployment").fetchone()
    assert row
    assert row[0] == len(_deployments(server))


def test_the_pages_of_the_ui_ask_the_server_they_come_from(server: PrefectServer) -> None:
    asked = requests.get(f"{server.ui}/ui-settings", timeout=30).json()["api_url"]
    assert asked == server.api


def test_up_again_starts_nothing_twice(server: PrefectServer) -> None:
    before = (server.processes(), embedded.status())
    stack.up()
    assert (server.processes(), embedded.status()) == before


def test_status_names_what_runs(server: PrefectServer) -> None:
    assert stack.status() == {
        "warehouse": f"Postgres on 127.0.0.1:{embedded.status().port}",
        "prefect": server.ui,
        "worker": "running",
    }


def test_no_process_is_given_an_empty_variable_or_a_way_to_phone_home(
    server: PrefectServer,
) -> None:
    environment = stack_environment()
    assert environment["PREFECT_API_URL"] == server.api
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
    assert all(environment.values())


def test_the_password_of_the_database_is_in_no_process_list_or_log(server: PrefectServer) -> None:
    password = psycopg.conninfo.conninfo_to_dict(warehouse_url())["password"]
    assert password
    assert not [line for line in server.processes().values() if str(password) in line]
    for log in server.folder.glob("*.log"):
        assert str(password) not in log.read_text(encoding="utf-8", errors="replace")


def test_the_idle_stack_stays_below_a_gigabyte(server: PrefectServer) -> None:
    assert wait_until(lambda: not server.processes(RUN), 60)
    assert _resident() < IDLE_LIMIT


def test_a_stack_killed_in_all_its_parts_comes_up_again_at_the_same_place(
    server: PrefectServer,
) -> None:
    ui, postgres = server.ui, embedded.status().pid
    assert postgres
    killed = [*server.processes(), postgres]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(command_of, killed)), 20)
    assert stack.up().ui == ui
    assert set(stack.status()) == {"warehouse", "prefect", "worker"}
    assert "stopped" not in stack.status().values()


def test_a_run_whose_process_was_killed_does_not_hold_its_slot_for_ever(
    server: PrefectServer,
) -> None:
    for pid in server.processes(WORKER):
        os.kill(pid, signal.SIGKILL)
    deployment = _deployments(server)["rollback/on-demand"]["id"]
    run = _ask(server, f"deployments/{deployment}/create_flow_run")["id"]
    running = {"state": {"type": "RUNNING"}, "force": True}
    requests.post(f"{server.api}/flow_runs/{run}/set_state", json=running, timeout=30)
    assert wait_until(lambda: not server.runs_flows(), 10)
    stack.up()
    found = requests.get(f"{server.api}/flow_runs/{run}", timeout=30).json()
    assert found["state"]["type"] == "CRASHED"


def test_down_leaves_nothing_even_when_the_server_was_killed(server: PrefectServer) -> None:
    stack.up()
    for pid in server.processes(SERVER):
        os.kill(pid, signal.SIGKILL)
    assert "worker" in stack.down()
    assert server.processes() == {}
    assert set(stack.status().values()) == {"stopped"}
    assert stack.down() == "Nothing was running."


def test_a_port_taken_meanwhile_makes_the_server_choose_another(server: PrefectServer) -> None:
    stack.down()
    taken = server.port
    with socket.create_server(("127.0.0.1", taken)):
        server.start()
        assert server.port != taken
    assert prefect_environment()["PREFECT_API_URL"] == server.api
    assert not server.processes(WORKER)


@pytest.mark.parametrize("entry", PLAN["deployments"], ids=lambda entry: entry["entrypoint"])
def test_every_deployment_names_a_flow_and_explains_each_parameter(entry: dict[str, Any]) -> None:
    module, _, name = entry["entrypoint"].rpartition(".")
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, Flow)
    if entry["name"] == "on-demand":
        for parameter in found.parameters.properties:
            assert f"**{parameter}**" in entry["description"]


def test_with_a_postgres_of_ones_own_the_state_lies_beside_the_warehouse(warehouse: str) -> None:
    url = state_url()
    try:
        assert database_name(url) == f"prefect_{database_name(warehouse)}"
        assert str(prefect_environment()["PREFECT_API_DATABASE_CONNECTION_URL"]).endswith(
            f"/{database_name(url)}"
        )
        assert stack.status()["warehouse"] == "your own Postgres (CONCORD_WAREHOUSE_URL)"
    finally:
        with psycopg.connect(warehouse, autocommit=True) as connection:
            name = sql.Identifier(database_name(url))
            connection.execute(sql.SQL("drop database {}").format(name))
