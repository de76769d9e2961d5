"""Signatures of parts of the dbt project, so that changed models are rebuilt instead of patched."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from psycopg import Connection

from flows.core.settings import settings

SUFFIXES = {".sql", ".csv", ".yml"}


@cache
def signature(*folders: str, without: tuple[str, ...] = ()) -> str:
    """Return the signature of every model, macro and seed in these folders of the dbt project.

    Files whose names begin with one of `without` do not count.
    """
    digest = hashlib.sha256()
    for path in _files(folders):
        if not path.name.startswith(without):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def remembered(connection: Connection, key: str) -> str | None:
    """Return the signature noted under a key of `ops.settings`, if there is one."""
    row = connection.execute("select value from ops.settings where key = %s", (key,)).fetchone()
    return str(row[0]) if row else None


def remember(connection: Connection, key: str, value: str) -> None:
    """Note a signature under a key of `ops.settings`; the same one again writes nothing."""
    connection.execute(
        "insert into ops.settings (key, value) values (%s, %s) on conflict (key) do update "
        "set value = excluded.value, changed_at = now() where settings.value <> excluded.value",
        (key, value),
    )


def _files(folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        found = (settings().dbt_project / folder).rglob("*")
        yield from sorted(path for path in found if path.suffix in SUFFIXES)
