"""Any sequence of incremental runs leaves the marts as one full build would."""

import pytest
from psycopg import sql

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from flows.identity import assign, standardise
from flows.publishing.slots import slot_version
from flows.staging import catch_up_selection, marts_to_catch_up
from tests.integration.staged import Company, create_staging, new_run

RUNS = 5
OF_IDENTITY = ("customer_field_conflicts", "contact_crosswalk", "product_crosswalk")


def build(slot: str, run_id: int, *, full: bool = False) -> None:
    with connect() as connection:
        since = slot_version(connection, slot)
        lagging = catch_up_selection(connection, since)
    selection = lagging if since and not full else ["--select", "path:models/marts"]
    run_dbt(["run", *selection], slot=slot, since=since, full=full)
    with connect() as connection:
        connection.execute("update ops.slots set version = %s where slot = %s", (run_id, slot))


def identify(run_id: int) -> None:
    standardise(run_id)
    run_dbt(["run", "--select", "path:models/identity"])
    assign(run_id)


def marts() -> list[str]:
    with connect() as connection:
        found = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts_a'"
        ).fetchall()
    return sorted(name for (name,) in found)


def count(mart: str) -> int:
    with connect() as connection:
        query = sql.SQL("select count(*) from {}").format(sql.Identifier("marts_a", mart))
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def differing_rows(mart: str) -> list[tuple[object, ...]]:
    one, other = sql.Identifier("marts_a", mart), sql.Identifier("marts_b", mart)
    with connect() as connection:
        return connection.execute(
            sql.SQL(
                "(select 'incremental', t.* from {one} as t "
                "except all select 'incremental', t.* from {other} as t) union all "
                "(select 'full', t.* from {other} as t "
                "except all select 'full', t.* from {one} as t)"
            ).format(one=one, other=other)
        ).fetchall()


def storage() -> dict[str, int]:
    """Return the file of each mart's table; another one means that the table was built anew."""
    with connect() as connection:
        found = connection.execute(
            "select relname, pg_relation_filenode(oid) from pg_class "
            "where relnamespace = 'marts_a'::regnamespace and relkind = 'r'"
        ).fetchall()
    return dict(found)


def transaction() -> int:
    with connect() as connection:
        row = connection.execute("select pg_current_xact_id()::text::bigint").fetchone()
    return int(row[0]) if row else 0


def rows_the_gate_would_miss(since: int, kept: dict[str, int]) -> dict[str, int]:
    """Count, in tables that stayed, the rows written since a transaction that are not noted."""
    missed: dict[str, int] = {}
    for mart in [name for name, file in storage().items() if kept.get(name) == file]:
        statement = sql.SQL(
            "select count(*) from {} as written where xmin::text::bigint > %s and not exists ("
            "select from ops.rewritten_keys as noted where slot = 'a' and mart = %s "
            "and noted.key = to_jsonb(written) ->> noted.key_column and ("
            "noted.source_system is null "
            "or noted.source_system = to_jsonb(written) ->> 'source_system'))"
        ).format(sql.Identifier("marts_a", mart))
        with connect() as connection:
            row = connection.execute(statement, (since, mart)).fetchone()
        if row and row[0]:
            missed[mart] = int(row[0])
    return missed


@pytest.mark.parametrize("seed", [1])
def test_incremental_marts_equal_one_full_build(warehouse: str, seed: int) -> None:
    create_staging()
    company = Company(seed)
    for number in range(RUNS):
        run_id = new_run()
        company.change(run_id, 400 if number == 0 else 25)
        identify(run_id)
        # A run that breaks off between two marts is made up for by the next one.
        if number == 2:
            run_dbt(["run", "--select", "orders", "order_lines", "invoices"], slot="a")
        else:
            before, kept = transaction(), storage()
            build("a", run_id)
            assert rows_the_gate_would_miss(before, kept) == {}
    build("b", run_id, full=True)
    assert len(marts()) >= 22
    assert {mart for mart in OF_IDENTITY if not count(mart)} == set()
    # What a source once said of its newest change stays known; this world's clocks run backwards.
    compared = [mart for mart in marts() if not mart.endswith("_freshness")]
    assert {mart: rows for mart in compared if (rows := differing_rows(mart))} == {}


def test_only_marts_made_of_what_changed_are_caught_up(warehouse: str) -> None:
    create_staging()
    first, second = new_run(), new_run()
    with connect() as connection:
        connection.execute(
            "insert into staging.orders (source_system, kind, source_key, order_id, is_deleted, "
            "batch_id, raw_id, version, staged_at) "
            "values ('erp', 'erp', 'O1', 'O1', false, 1, 1, %s, now())",
            (second,),
        )
        lagging = marts_to_catch_up(connection, first)
        up_to_date = marts_to_catch_up(connection, second)
        selection = catch_up_selection(connection, first)
    assert "stg_orders+,path:models/marts" in lagging
    assert set(lagging) - set(up_to_date) == {"stg_orders+,path:models/marts"}
    assert all(name.startswith("source:identity.") for name in up_to_date)
    left_out = selection[selection.index("--exclude") :]
    assert "config.meta.rows_of:stg_invoices" in left_out
    assert "config.meta.rows_of:stg_orders" not in left_out
