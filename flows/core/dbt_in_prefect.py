"""PrefectDbtRunner with what it repeats for every node taken away."""

from pathlib import Path
from typing import Any

from flows.core.clients import share_certificates
from flows.core.errors import TransformationError
from flows.core.settings import settings


def is_inside_a_run() -> bool:
    """Say whether this is a flow or task run, in whose view models should show."""
    # A process that never imported Prefect is in no run of it; importing it to ask would cost 1 s.
    import sys  # noqa: PLC0415

    if "prefect.context" not in sys.modules:
        return False
    from prefect.context import FlowRunContext, TaskRunContext  # noqa: PLC0415

    return bool(FlowRunContext.get() or TaskRunContext.get())


def invoke(arguments: list[str], manifest: Any, folder: Path) -> Any:  # noqa: ANN401 - dbt's types
    """Run one dbt command, every node a task run; raises TransformationError if it cannot start."""
    try:
        return _runner(manifest, folder).invoke(arguments)
    except ValueError as error:  # what PrefectDbtRunner makes of a command that dbt cannot start
        raise TransformationError(str(error)) from error


def _runner(manifest: Any, folder: Path) -> Any:  # noqa: ANN401 - untyped library
    from dbt_common.events.base_types import EventLevel  # noqa: PLC0415
    from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings  # noqa: PLC0415

    _spare_every_node(manifest)
    location = PrefectDbtSettings(
        project_dir=settings().dbt_project,
        profiles_dir=settings().dbt_project,
        target_path=folder,
        # Given, because the default reads Prefect's own level, of which dbt knows only some.
        log_level=EventLevel.INFO,
    )
    return PrefectDbtRunner(
        manifest=manifest, settings=location, raise_on_failure=False, disable_assets=True
    )


def _spare_every_node(manifest: Any) -> None:  # noqa: ANN401 - untyped library
    # PrefectDbtRunner parses the project again on every invocation, whatever manifest it was
    # given. To be removed when it hands its manifest on.
    from dbt.cli.main import dbtRunner  # noqa: PLC0415
    from prefect_dbt.core import runner  # noqa: PLC0415

    runner.dbtRunner = lambda callbacks: dbtRunner(manifest=manifest, callbacks=callbacks)
    runner.serialize_context = _context_without_settings
    share_certificates()


def _context_without_settings() -> dict[str, Any]:
    # Every node's thread would read all of Prefect's settings anew from files and environment,
    # twice, which takes longer than most models; they are the process's own settings anyway.
    from prefect.context import serialize_context  # noqa: PLC0415

    return {name: part for name, part in serialize_context().items() if name != "settings_context"}
