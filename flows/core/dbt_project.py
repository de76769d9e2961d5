"""What dbt parsed: kept, so that a process reads it instead of parsing anew."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from flows.core.kept import kept
from flows.core.loading import loading

KEPT = "parsed.pickle"
MARTS_SCHEMAS = ("marts_a", "marts_b")
SUFFIXES = (".sql", ".yml", ".md", ".csv")
PARSERS = ("dbt-core", "dbt-postgres")

# Parsing costs more than most invocations, so a process parses once at most.
_projects: dict[str, Any] = {}


def parsed_project(project: Path, folders: Sequence[Path], parse: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Return the parsed project: as this process or an earlier one parsed it, else from `parse`.

    What an earlier one kept in `folders` counts for the same files and the same dbt only.
    """
    stamp = project_stamp(project)
    if stamp not in _projects:
        _projects.clear()
        with loading():
            _projects[stamp] = kept(KEPT, stamp, parse, folders)
    return _projects[stamp]


def pointed_at(manifest: Any, database: str, slot: str) -> Any:  # noqa: ANN401 - dbt's own type
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


def project_stamp(project: Path) -> str:
    """Return what changes with every file of the project, its place, and with dbt itself."""
    digest = sha256("|".join(f"{name} {version(name)}" for name in PARSERS).encode())
    for path in sorted(project.rglob("*")):
        if path.suffix in SUFFIXES and "target" not in path.relative_to(project).parts:
            found = path.stat()
            digest.update(f"{path}|{found.st_mtime_ns}|{found.st_size}\n".encode())
    return digest.hexdigest()
