"""Connections to the warehouse: the embedded server, or any Postgres 16 or newer by setting."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psycopg
from psycopg import Connection, sql

from flows.core.errors import SettingsError, WarehouseUnavailableError
from flows.core.settings import settings

MINIMUM_SERVER_VERSION = 160000


@cache
def warehouse_url() -> str:
    """Return the warehouse's URL, starting the embedded server where none is configured."""
    if configured := settings().warehouse_url:
        return configured
    from flows.core.embedded import start  # noqa: PLC0415 - a configured server needs none of it

    return start()


@contextmanager
def connect(*, autocommit: bool = False, application: str = "concord") -> Iterator[Connection]:
    """Open one connection; the block commits as a whole, or not at all when it raises.

    Raises WarehouseUnavailableError when the server does not answer, SettingsError when it is
    too old.
    """
    try:
        connection = psycopg.connect(
            warehouse_url(), autocommit=autocommit, application_name=application
        )
    except psycopg.OperationalError as error:
        raise WarehouseUnavailableError(
            f"The warehouse does not answer ({_first_line(error)}). "
            "Run `concord up`, or check CONCORD_WAREHOUSE_URL."
        ) from error
    with connection:
        _refuse_an_old_server(connection)
        yield connection


def exists(connection: Connection, relation: sql.Composable) -> bool:
    """Tell whether there is a table or view of this name."""
    row = connection.execute("select to_regclass(%s)", (relation.as_string(),)).fetchone()
    return bool(row and row[0])


def _refuse_an_old_server(connection: Connection) -> None:
    version = connection.info.server_version
    if version < MINIMUM_SERVER_VERSION:
        raise SettingsError(
            f"The warehouse runs Postgres {version // 10000}; Concord needs 16 or newer. "
            "Point CONCORD_WAREHOUSE_URL at a newer server."
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
