"""Tell Prefect's server what can be run: the work pool, credentials' forms, every deployment.

A program of its own (`python -m flows.cli.register`), because Prefect reads its settings on import.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Crashed
from prefect.workers.process import ProcessWorker

from flows.cli.prefect_server import WORK_POOL, PrefectServer
from flows.core.errors import ConnectionsError
from flows.core.settings import settings
from flows.sources.business_central.credentials_block import BusinessCentralCredentials
from flows.sources.connections import load_connections
from flows.sources.salesforce.credentials_block import SalesforceCredentials

CREDENTIALS = (SalesforceCredentials, BusinessCentralCredentials)
UNFINISHED = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
SET_FOLDER = "prefect.deployments.steps.set_working_directory"


def main() -> int:
    """Register everything and return the exit status of `prefect deploy`."""
    plan = deployment_plan()
    keep_pauses(plan, asyncio.run(_prepare_server()))
    path = PrefectServer(settings().home).folder / "prefect.yaml"
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    command = (sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all")
    return subprocess.run(
        [*command, "--prefect-file", str(path)], cwd=settings().project_root, check=False
    ).returncode


def deployment_plan() -> dict[str, Any]:
    """Return prefect.yaml for this checkout, with an hourly landing for each connection."""
    root = settings().project_root
    plan: dict[str, Any] = yaml.safe_load((root / "prefect.yaml").read_text(encoding="utf-8"))
    plan.pop("definitions", None)
    plan["pull"] = [{SET_FOLDER: {"directory": str(root)}}]
    template = next(
        deployment
        for deployment in plan["deployments"]
        if deployment["entrypoint"].endswith(".land")
    )
    plan["deployments"] += [_hourly(template, name) for name in _connections()]
    return plan


def keep_pauses(plan: dict[str, Any], registered: Iterable[DeploymentResponse]) -> None:
    """Leave paused what a person has paused, deployments and schedules alike."""
    known = {(one.entrypoint, one.name): one for one in registered}
    for deployment in plan["deployments"]:
        found = known.get((deployment["entrypoint"], deployment["name"]))
        if found is None:
            continue
        deployment["paused"] = bool(found.paused)
        active = {schedule.slug: schedule.active for schedule in found.schedules}
        for schedule in deployment.get("schedules", ()):
            schedule["active"] = active.get(schedule["slug"], schedule["active"])


def _hourly(template: dict[str, Any], connection: str) -> dict[str, Any]:
    schedule = {"cron": "0 * * * *", "timezone": "UTC", "slug": "hourly", "active": True}
    return template | {
        "name": f"hourly-{connection}",
        "description": f"Lands what is new at {connection}, every hour.",
        "parameters": {"connection": connection},
        "schedules": [schedule],
    }


def _connections() -> list[str]:
    """Return the names of the connections; a missing or broken file stops no start."""
    try:
        return list(load_connections())
    except ConnectionsError:
        return []


async def _prepare_server() -> list[DeploymentResponse]:
    async with get_client() as client:
        await _create_pool(client)
        for block in CREDENTIALS:
            await block.aregister_type_and_schema(client=client)
        if not PrefectServer(settings().home).runs_flows():
            await _give_up_lost_runs(client)
        return await client.read_deployments()


async def _create_pool(client: PrefectClient) -> None:
    pool = WorkPoolCreate(
        name=WORK_POOL,
        type=ProcessWorker.type,
        description="Runs flows as processes on this machine.",
        base_job_template=ProcessWorker.get_default_base_job_template(),
    )
    await client.create_work_pool(pool, overwrite=True)


async def _give_up_lost_runs(client: PrefectClient) -> None:
    """Close the runs whose process was killed; they would hold their deployment's only slot."""
    unfinished = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(UNFINISHED)))
    lost = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=unfinished),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[WORK_POOL])),
    )
    for run in lost:
        await client.set_flow_run_state(run.id, Crashed(message="Its process was killed."))


if __name__ == "__main__":
    sys.exit(main())
