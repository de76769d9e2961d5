"""Which home a command works in: the user's own, or the demo's, which is thrown away."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from flows.core.databases import database_name, with_database
from flows.core.settings import export, settings
from flows.core.warehouse import warehouse_url


def demo_home() -> Path:
    """Return the folder the demo lives in: beside the user's own state, never in it."""
    return settings().home / "demo"


def demo_warehouse() -> str | None:
    """Return an empty database of the demo's own on a configured server; None for the embedded."""
    configured = settings().warehouse_url
    if configured is None:
        return None
    name = f"{database_name(configured)}_demo"
    with psycopg.connect(configured, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return with_database(configured, name)


@contextmanager
def use_home(home: Path, more: Mapping[str, str | None] | None = None) -> Iterator[None]:
    """Let everything in the block, child processes too, work in another home."""
    values: dict[str, str | None] = {"CONCORD_HOME": str(home), **(more or {})}
    before = {name: settings().environment.get(name) for name in values}
    _switch(values)
    try:
        yield
    finally:
        _switch(before)


def _switch(values: Mapping[str, str | None]) -> None:
    export(values)
    settings.cache_clear()
    warehouse_url.cache_clear()
