"""Tell Prefect's server what can be run: the work pool, the limits and every deployment.

A program of its own (`python -m flows.cli.register`), because Prefect reads its settings on import.
"""

import asyncio
import subprocess
import sys
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
from prefect.states import Crashed
from prefect.workers.process import ProcessWorker

from flows.cli.prefect_server import WORK_POOL, PrefectServer
from flows.core.errors import ConnectionsError
from flows.core.settings import settings
from flows.sources.connections import load_connections

LIMITS = {"warehouse-writes": 1}
UNFINISHED = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
SET_FOLDER = "prefect.deployments.steps.set_working_directory"


def main() -> int:
    """Register everything and return the exit status of `prefect deploy`."""
    asyncio.run(_prepare_server())
    plan = PrefectServer(settings().home).folder / "prefect.yaml"
    plan.write_text(yaml.safe_dump(deployment_plan(), sort_keys=False), encoding="utf-8")
    command = (sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all")
    return subprocess.run(
        [*command, "--prefect-file", str(plan)], cwd=settings().project_root, check=False
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


async def _prepare_server() -> None:
    async with get_client() as client:
        await _create_pool_and_limits(client)
        if not PrefectServer(settings().home).runs_flows():
            await _give_up_lost_runs(client)


async def _create_pool_and_limits(client: PrefectClient) -> None:
    pool = WorkPoolCreate(
        name=WORK_POOL,
        type=ProcessWorker.type,
        description="Runs flows as processes on this machine.",
        base_job_template=ProcessWorker.get_default_base_job_template(),
    )
    await client.create_work_pool(pool, overwrite=True)
    for name, limit in LIMITS.items():
        await client.upsert_global_concurrency_limit_by_name(name, limit)


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
