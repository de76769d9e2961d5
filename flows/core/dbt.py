"""dbt, run in this process: one invocation at a time, one parse for both slots."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from flows.core import dbt_in_prefect
from flows.core.databases import database_name
from flows.core.dbt_project import parsed_project, pointed_at
from flows.core.errors import TransformationError
from flows.core.loading import loading
from flows.core.ownership import ownership_rules
from flows.core.settings import settings
from flows.core.signature import remember, remembered
from flows.core.warehouse import connect, warehouse_url

FAILED = ("error", "fail", "runtime error", "partial success")
FIRST_SLOT = "a"
SEEDS_SETTING = "seeds_checksum"

# dbt keeps its adapters in globals: two invocations at once would share connections.
_one_at_a_time = Lock()


def run_dbt(
    command: Sequence[str],
    *,
    slot: str | None = None,
    since: int | None = None,
    full: bool = False,
) -> None:
    """Run one dbt command; inside a Prefect run every model shows there as a task run.

    `since`: the version that the slot has caught up to, where it is known; else every model asks.
    Raises TransformationError naming what failed, with dbt's message and the compiled SQL.
    """
    arguments = [*command, *(["--full-refresh"] if full else []), *_quickly(command[0])]
    with _one_at_a_time, _environment(slot, since):
        _raise_failures(_invoke(arguments, slot), arguments, target_path())


def seed_if_changed() -> bool:
    """Load the seeds, and make the functions that read them, when the files of either changed.

    Returns whether they did.
    """
    checksum = _seeds_checksum(settings().dbt_project)
    if _loaded_seeds() == checksum:
        return False
    ownership_rules()  # refuses by file and line what SQL could only trip over
    run_dbt(["build", "--full-refresh", "--select", "resource_type:seed", "resource_type:function"])
    with connect() as connection:
        remember(connection, SEEDS_SETTING, checksum)
    return True


def preload_in_background() -> None:
    """Begin to import dbt while the caller waits for something else."""
    Thread(target=_preload_all, name="load dbt", daemon=True).start()


def _preload_all() -> None:
    preload()
    with loading():
        import prefect_dbt  # noqa: F401, PLC0415 - slow as well


def preload() -> None:
    """Import dbt, which takes more than a second."""
    with loading():
        import dbt.cli.main  # noqa: F401, PLC0415 - slow, so only where it is needed
    _spare_stack_walks()


def _spare_stack_walks() -> None:
    # Every invocation asks for each behaviour flag, named or not, which module asks: a walk over
    # the whole stack and all loaded modules, seconds in a large process. To be removed when dbt
    # asks only for flags without a source.
    from dbt_common.behavior_flags import BehaviorFlagRendered  # noqa: PLC0415

    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]  # noqa: SLF001


def parsed_manifest() -> Any:  # noqa: ANN401 - dbt's own manifest type
    """Return the project as dbt parsed it, with its models, metrics and semantic models."""
    target_path().mkdir(parents=True, exist_ok=True)
    with _one_at_a_time:
        return _manifest(None, target_path())


def target_path() -> Path:
    """Return the folder where dbt keeps what it parsed and compiled."""
    return settings().home / "dbt"


def kept_in() -> tuple[Path, ...]:
    """Return where to keep what follows from the project's files: beside them, or in our home."""
    return settings().dbt_project / "target", target_path()


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
def _environment(slot: str | None, since: int | None = None) -> Iterator[None]:
    wanted = {**profile_environment(warehouse_url()), "DO_NOT_TRACK": "1"}
    wanted["CONCORD_SLOT"] = slot or FIRST_SLOT
    wanted["CONCORD_SLOT_VERSION"] = "" if since is None else str(since)
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
    manifest = _manifest(slot, folder)
    if dbt_in_prefect.is_inside_a_run():
        return dbt_in_prefect.invoke([*arguments, "--log-path", str(folder)], manifest, folder)
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - costs 1.6 s

    logging = ("--log-level", "none", "--log-level-file", "info")
    return dbtRunner(manifest=manifest).invoke([*arguments, *_location(folder), *logging])


def _quickly(command: str) -> list[str]:
    # Nobody reads the JSON artifacts of a run, and only the schemas at hand need a look-up.
    return ["--no-write-json", "--cache-selected-only"] if command in ("run", "test") else []


def _location(folder: Path) -> list[str]:
    project = str(settings().dbt_project)
    paths = ["--project-dir", project, "--profiles-dir", project]
    return [*paths, "--target-path", str(folder), "--log-path", str(folder)]


def _manifest(slot: str | None, folder: Path) -> Any:  # noqa: ANN401 - dbt's own manifest type
    preload()
    manifest = parsed_project(settings().dbt_project, kept_in(), lambda: _parse(folder))
    return pointed_at(manifest, database_name(warehouse_url()), slot or FIRST_SLOT)


def _parse(folder: Path) -> Any:  # noqa: ANN401 - dbt's own manifest type
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - costs 1.6 s

    arguments = ["parse", "--no-write-json", *_location(folder), "--log-level", "none"]
    with _environment(FIRST_SLOT):
        parsed = dbtRunner().invoke(arguments)
    _raise_failures(parsed, arguments, folder)
    return parsed.result


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
        return remembered(connection, SEEDS_SETTING)
