"""dbt, run in this process: one invocation at a time, one parse for both slots."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from flows.core.databases import database_name
from flows.core.errors import TransformationError
from flows.core.ownership import ownership_rules
from flows.core.settings import settings
from flows.core.warehouse import connect, warehouse_url

FAILED = ("error", "fail", "runtime error", "partial success")
FIRST_SLOT = "a"
MARTS_SCHEMAS = ("marts_a", "marts_b")
SEEDS_SETTING = "seeds_checksum"

# dbt keeps its adapters in globals: two invocations at once would share connections.
_one_at_a_time = Lock()
# Parsing costs more than most invocations, so a process parses once.
_manifests: dict[str, Any] = {}


def run_dbt(command: Sequence[str], *, slot: str | None = None, full: bool = False) -> None:
    """Run one dbt command; inside a Prefect run every model shows there as a task run.

    Raises TransformationError naming what failed, with dbt's message and the compiled SQL.
    """
    arguments = [*command, *(["--full-refresh"] if full else []), *_quickly(command[0])]
    with _one_at_a_time, _environment(slot):
        _raise_failures(_invoke(arguments, slot), arguments, target_path())


def seed_if_changed() -> bool:
    """Load the seeds, and make the functions that read them, when the files of either changed.

    Returns whether they did.
    """
    checksum = _seeds_checksum(settings().dbt_project)
    if _loaded_seeds() == checksum:
        return False
    ownership_rules()  # refuses by file and line what SQL could only trip over
    run_dbt(["build", "--full-refresh", "--resource-type", "seed", "--resource-type", "function"])
    with connect() as connection:
        connection.execute(
            "insert into ops.settings (key, value) values (%s, %s) on conflict (key) "
            "do update set value = excluded.value, changed_at = now()",
            (SEEDS_SETTING, checksum),
        )
    return True


def target_path() -> Path:
    """Return the folder where dbt keeps what it parsed and compiled."""
    return settings().home / "dbt"


def profile_environment(url: str) -> dict[str, str]:
    """Return the variables that profiles.yml reads, for one connection URL."""
    parts = conninfo_to_dict(url)
    user = str(parts.get("user") or "postgres")
    return {
        "CONCORD_DBT_HOST": str(parts.get("host") or "localhost"),
        "CONCORD_DBT_PORT": str(parts.get("port") or "5432"),
        "CONCORD_DBT_USER": user,
        "CONCORD_DBT_PASSWORD": str(parts.get("password") or ""),
        "CONCORD_DBT_DBNAME": str(parts.get("dbname") or user),
    }


@contextmanager
def _environment(slot: str | None) -> Iterator[None]:
    wanted = {**profile_environment(warehouse_url()), "DO_NOT_TRACK": "1"}
    wanted["CONCORD_SLOT"] = slot or FIRST_SLOT
    # dbt reads its profile from the environment and offers no other way to pass a password.
    environment = os.environ  # noqa: TID251 - written for dbt, not read
    before = {name: environment.get(name) for name in wanted}
    environment.update(wanted)
    try:
        yield
    finally:
        _restore(before)


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)  # noqa: TID251 - written for dbt, not read
        else:
            os.environ[name] = value  # noqa: TID251 - written for dbt, not read


def _invoke(arguments: list[str], slot: str | None) -> Any:  # noqa: ANN401 - dbt's own result type
    folder = target_path()
    folder.mkdir(parents=True, exist_ok=True)
    if _is_inside_a_prefect_run():
        return _invoke_in_prefect([*arguments, "--log-path", str(folder)], slot, folder)
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - costs 1.6 s

    logging = ("--log-level", "none", "--log-level-file", "info")
    return dbtRunner(manifest=_manifest(slot, folder)).invoke(
        [*arguments, *_location(folder), *logging]
    )


def _quickly(command: str) -> list[str]:
    # Nobody reads the JSON artifacts of a run, and only the schemas at hand need a look-up.
    return ["--no-write-json", "--cache-selected-only"] if command in ("run", "test") else []


def _location(folder: Path) -> list[str]:
    project = str(settings().dbt_project)
    paths = ["--project-dir", project, "--profiles-dir", project]
    return [*paths, "--target-path", str(folder), "--log-path", str(folder)]


def _manifest(slot: str | None, folder: Path) -> Any:  # noqa: ANN401 - dbt's own manifest type
    key = _project_stamp()
    if key not in _manifests:
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - costs 1.6 s

        arguments = ["parse", "--no-write-json", *_location(folder), "--log-level", "none"]
        with _environment(FIRST_SLOT):
            parsed = dbtRunner().invoke(arguments)
        _raise_failures(parsed, arguments, folder)
        _manifests.clear()
        _manifests[key] = parsed.result
    return _pointed_at(_manifests[key], database_name(warehouse_url()), slot or FIRST_SLOT)


def _pointed_at(manifest: Any, database: str, slot: str) -> Any:  # noqa: ANN401 - dbt's own type
    """Let what was parsed stand in this database and slot: parsing again would cost seconds."""
    for node in chain(
        manifest.nodes.values(), manifest.functions.values(), manifest.sources.values()
    ):
        node.database = database
        if node.schema in MARTS_SCHEMAS:
            node.schema = node.config.schema = f"marts_{slot}"
        if node.relation_name:
            node.relation_name = ".".join(
                f'"{part}"' for part in (database, node.schema, node.identifier)
            )
    return manifest


def _project_stamp() -> str:
    project = settings().dbt_project
    files = (path for kind in ("*.sql", "*.yml", "*.md", "*.csv") for path in project.rglob(kind))
    newest = max(path.stat().st_mtime_ns for path in files)
    return f"{project}@{newest}"


def _is_inside_a_prefect_run() -> bool:
    # A process that never imported Prefect is in no run of it; importing it to ask would cost 1 s.
    import sys  # noqa: PLC0415

    if "prefect.context" not in sys.modules:
        return False
    from prefect.context import FlowRunContext, TaskRunContext  # noqa: PLC0415

    return bool(FlowRunContext.get() or TaskRunContext.get())


def _invoke_in_prefect(arguments: list[str], slot: str | None, folder: Path) -> Any:  # noqa: ANN401
    runner = _prefect_runner(slot, folder)
    try:
        return runner.invoke(arguments)
    except ValueError as error:  # what PrefectDbtRunner makes of a command that dbt cannot start
        raise TransformationError(str(error)) from error


def _prefect_runner(slot: str | None, folder: Path) -> Any:  # noqa: ANN401 - untyped library
    from dbt_common.events.base_types import EventLevel  # noqa: PLC0415
    from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings  # noqa: PLC0415
    from prefect_dbt.core import runner  # noqa: PLC0415

    location = PrefectDbtSettings(
        project_dir=settings().dbt_project,
        profiles_dir=settings().dbt_project,
        target_path=folder,
        # Given, because the default reads Prefect's own level, of which dbt knows only some.
        log_level=EventLevel.INFO,
    )
    manifest = _manifest(slot, folder)
    _give_manifest(runner, manifest)
    return PrefectDbtRunner(
        manifest=manifest, settings=location, raise_on_failure=False, disable_assets=True
    )


def _give_manifest(runner: Any, manifest: Any) -> None:  # noqa: ANN401 - untyped library
    # PrefectDbtRunner parses the project again on every invocation, whatever manifest it was
    # given. To be removed when it hands its manifest on.
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    runner.dbtRunner = lambda callbacks: dbtRunner(manifest=manifest, callbacks=callbacks)
    runner.serialize_context = _context_without_settings


def _context_without_settings() -> dict[str, Any]:
    # Every node's thread would read all of Prefect's settings anew from files and environment,
    # twice, which takes longer than most models; they are the process's own settings anyway.
    from prefect.context import serialize_context  # noqa: PLC0415

    return {name: part for name, part in serialize_context().items() if name != "settings_context"}


def _raise_failures(result: Any, arguments: Sequence[str], folder: Path) -> None:  # noqa: ANN401
    if result.success:
        return
    failures = [
        _failure(one, folder)
        for one in getattr(result.result, "results", None) or []
        if str(one.status) in FAILED
    ]
    detail = "\n".join(failures) or str(result.exception)
    raise TransformationError(f"dbt {' '.join(arguments)} failed.\n{detail}")


def _failure(one: Any, folder: Path) -> str:  # noqa: ANN401 - dbt's own result type
    compiled = folder / "compiled" / one.node.package_name / one.node.original_file_path
    message = " ".join(str(one.message or one.status).split())
    return f"- {one.node.unique_id}: {message} (compiled SQL: {compiled})"


def _seeds_checksum(project: Path) -> str:
    checksum = sha256()
    parts = chain(
        (project / "seeds").rglob("*.csv"),
        (project / "seeds").rglob("*.yml"),
        (project / "functions").glob("*"),
        [project / "macros" / "identity_normalise.sql"],
    )
    for path in sorted(parts):
        checksum.update(path.name.encode())
        checksum.update(path.read_bytes())
    return checksum.hexdigest()


def _loaded_seeds() -> str | None:
    with connect() as connection:
        row = connection.execute(
            "select value from ops.settings where key = %s", (SEEDS_SETTING,)
        ).fetchone()
    return str(row[0]) if row else None
