"""Signatures of the dbt project, so that changed models are rebuilt in full instead of patched."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from psycopg import Connection

from flows.core.settings import settings

KEY = "staging_signature"
SHARED = ("macros", "functions", "seeds")


def staging_signature() -> str:
    """Return the signature of everything that decides what staging contains."""
    return _signature("incoming", "staging")


def marts_signature(currency: str) -> str:
    """Return the signature of everything that decides what the marts contain, currency included."""
    return f"{_signature('identity', 'marts')}-{currency}"


def staging_is_outdated(connection: Connection) -> bool:
    """Say whether the staging tables were built by other models than these."""
    row = connection.execute("select value from ops.settings where key = %s", (KEY,)).fetchone()
    return row is not None and row[0] != staging_signature()


def remember_signature(connection: Connection) -> None:
    """Note that the staging tables are now what these models say."""
    connection.execute(
        "insert into ops.settings (key, value) values (%s, %s) on conflict (key) do update "
        "set value = excluded.value, changed_at = now() where settings.value <> excluded.value",
        (KEY, staging_signature()),
    )


@cache
def _signature(*layers: str) -> str:
    digest = hashlib.sha256()
    for path in _files(settings().dbt_project, layers):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(project: Path, layers: tuple[str, ...]) -> Iterator[Path]:
    folders = [project / name for name in SHARED]
    folders += [project / "models" / layer for layer in layers]
    for folder in folders:
        yield from sorted(
            path for path in folder.rglob("*") if path.suffix in {".sql", ".csv", ".yml"}
        )
