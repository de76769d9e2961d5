"""Write crosswalks directly, so that marts are tested without matching anything."""

import psycopg
from psycopg import sql

from flows.core.warehouse import connect

Record = tuple[str, str, str]  # source system, entity, source key


def link(domain: str, run_id: int, unified_id: str, *records: Record) -> None:
    """Let records belong to one customer, contact or product from this run on."""
    with connect() as connection:
        connection.execute(
            _on(
                "insert into identity.{ids} ({id}, created_run_id) values (%s, %s) "
                "on conflict ({id}) do update set merged_into = null, retired_at = null",
                domain,
            ),
            (unified_id, run_id),
        )
        for record in records:
            _close(connection, domain, run_id, record)
            connection.execute(
                _on(
                    "insert into identity.{crosswalk} ({id}, source_system, entity, source_key, "
                    "method, probability, version) values (%s, %s, %s, %s, 'key', 1, %s)",
                    domain,
                ),
                (unified_id, *record, run_id),
            )


def retire(domain: str, retired_id: str, merged_into: str) -> None:
    """Note that an id has given way to another."""
    with connect() as connection:
        connection.execute(
            _on(
                "update identity.{ids} set merged_into = %s, retired_at = now() where {id} = %s",
                domain,
            ),
            (merged_into, retired_id),
        )


def _close(connection: psycopg.Connection, domain: str, run_id: int, record: Record) -> None:
    connection.execute(
        _on(
            "update identity.{crosswalk} set valid_to = now(), version = %s "
            "where (source_system, entity, source_key) = (%s, %s, %s) and is_current",
            domain,
        ),
        (run_id, *record),
    )


def _on(statement: str, domain: str) -> sql.Composed:
    return sql.SQL(statement).format(
        id=sql.Identifier(f"{domain}_id"),
        ids=sql.Identifier(f"{domain}_ids"),
        crosswalk=sql.Identifier(f"{domain}_crosswalk"),
    )
