"""What runs, what is published and what waits for someone."""

from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from flows.core.migrations import migrate
from flows.core.warehouse import connect

LAST_RUN = """
select run_id, flow, status, reason, started_at, finished_at
from ops.runs order by run_id desc limit 1
"""
WAITING = """
select
    (select count(*) from ops.batches where status in ('landed', 'refused', 'accepted')) as batches,
    (select count(*) from quarantine.rows where status = 'open') as quarantined_rows,
    (select count(distinct (source_system, document_type, document_key))
     from quarantine.rows where status = 'open') as quarantined_documents
"""


def current_status() -> dict[str, Any]:
    """Return what runs, the last run, the published tables and what waits."""
    from flows.cli import stack

    running = stack.status()
    services = "\n".join(f"{name}: {state}" for name, state in running.items())
    if running["warehouse"] == stack.STOPPED:
        return {"services": running, "text": f"{services}\nStart it with `concord up`."}
    migrate()
    with connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
        last_run = cursor.execute(LAST_RUN).fetchone()
        waiting = cursor.execute(WAITING).fetchone()
    assert waiting is not None  # noqa: S101 - counts always answer
    tables = published_tables()
    return {
        "services": running,
        "last_run": last_run,
        "waiting": waiting,
        "tables": tables,
        "text": "\n".join(
            [
                services,
                _run_text(last_run),
                _waiting_text(waiting),
                tables_text(tables),
            ]
        ),
    }


def published_tables() -> dict[str, int]:
    """Return the row count of every published table."""
    with connect() as connection:
        names = [
            row[0]
            for row in connection.execute(
                "select viewname from pg_views where schemaname = 'marts' order by viewname"
            )
        ]
        return {name: _count(connection, name) for name in names}


def tables_text(tables: dict[str, int]) -> str:
    """Render row counts as lines a person can scan."""
    return "\n".join(f"  marts.{name:<22} {rows:>12,}" for name, rows in tables.items())


def _count(connection: Any, name: str) -> int:  # noqa: ANN401 - a psycopg connection of any row type
    row = connection.execute(
        sql.SQL("select count(*) from {}").format(sql.Identifier("marts", name))
    ).fetchone()
    return int(row[0])


def _waiting_text(waiting: dict[str, Any]) -> str:
    return (
        f"waiting: {waiting['batches']} batches; in quarantine: "
        f"{waiting['quarantined_documents']} documents ({waiting['quarantined_rows']} rows)"
    )


def _run_text(run: dict[str, Any] | None) -> str:
    if not run:
        return "last run: none yet"
    reason = f": {run['reason']}" if run["reason"] else ""
    return f"last run: {run['run_id']} ({run['flow']}) {run['status']}{reason}"
