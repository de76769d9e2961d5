"""Identity is settled when something that it is made of changed, and only then."""

import re

import pytest

from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.gates import last_passed
from flows.staging import records_changed_since
from flows.staging.scope import RECORDS
from tests.integration.staged import create_staging, new_run


def verdict(run_id: int, outcome: str) -> None:
    with connect() as connection:
        connection.execute(
            "insert into ops.verdicts (run_id, promotion, suite, expectation, rule, severity, "
            "is_success, outcome) values (%s, 'identity', 'identity__x', 'x', %s, 'critical', "
            "%s, %s)",
            (run_id, outcome, outcome == "pass", outcome),
        )


def passed() -> int:
    with connect() as connection:
        return last_passed(connection, "identity")


def test_every_staged_table_that_identity_reads_is_watched() -> None:
    project = settings().dbt_project
    files = [*(project / "models" / "identity").glob("*.sql")]
    files += (project / "macros").glob("identity*.sql")
    text = "\n".join(file.read_text("utf-8") for file in files)
    assert set(re.findall(r"ref\('stg_(\w+)'\)", text)) == set(RECORDS)


@pytest.mark.parametrize("table", ["customers", "orders"])
def test_a_record_staged_since_makes_identity_lag_and_an_order_does_not(
    warehouse: str, table: str
) -> None:
    create_staging()
    settled, later = new_run(), new_run()
    with connect() as connection:
        connection.execute(
            f"insert into staging.{table} (source_system, kind, source_key, {table[:-1]}_id, "
            "is_deleted, batch_id, raw_id, version, staged_at) "
            "values ('erp', 'erp', 'X1', 'X1', false, 1, 1, %s, now())".encode(),
            (later,),
        )
        assert records_changed_since(connection, settled) is (table == "customers")
        assert not records_changed_since(connection, later)


def test_the_last_verdict_counts_and_a_refusal_settles_nothing(warehouse: str) -> None:
    assert passed() == 0
    first, second = new_run(), new_run()
    verdict(first, "pass")
    assert passed() == first
    verdict(second, "pass")
    verdict(second, "block")
    assert passed() == 0
