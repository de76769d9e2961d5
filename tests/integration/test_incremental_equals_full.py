"""Any sequence of incremental runs ends where one full rebuild ends."""

import random
from collections.abc import Iterator

import pytest

from flows.core.dbt import run_dbt
from tests.fixtures.raw import RawWarehouse
from tests.fixtures.seeds import seed

STEPS = 15
MODELS = ("orders", "order_lines")
# Where a row came from and when it was written may differ; what it says may not.
BOOKKEEPING = ["batch_id", "raw_id", "version", "staged_at"]


@pytest.fixture
def raw(warehouse: str) -> RawWarehouse:
    prepared = RawWarehouse(warehouse)
    seed()
    prepared.prepare(*MODELS)
    run_dbt(["run", "--selector", "incoming"])
    return prepared


def staged(raw: RawWarehouse, table: str) -> list[dict[str, object]]:
    statement = f"select to_jsonb(row) - %s::text[] from staging.{table} as row order by source_key"
    return [row for (row,) in raw.rows(statement, (BOOKKEEPING,))]  # type: ignore[misc]


class RandomCompany:
    """Deals out inserts, updates, late versions and deletes, in no useful order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def moment(self) -> str | None:
        """A source time from a small range, so that ties and late rows are common; or none."""
        return self.random.choice([None, *(f"2026-01-{day:02}T00:00:00Z" for day in range(1, 9))])

    def key(self, letter: str) -> str:
        return f"{letter}{self.random.randrange(12)}"

    def orders(self) -> Iterator[dict[str, object]]:
        for _ in range(self.random.randrange(6)):
            yield {
                "order_id": self.key("O"),
                "customer_id": "C1",
                "net_amount": self.random.randrange(4),
                "modified_at": self.moment(),
                "is_deleted": self.random.random() < 0.1,
            }

    def lines(self) -> Iterator[dict[str, object]]:
        for _ in range(self.random.randrange(9)):
            yield {
                "order_line_id": self.key("L"),
                "order_id": self.key("O"),
                "quantity": self.random.randrange(4),
                "net_amount": self.random.randrange(4),
                "modified_at": self.moment(),
            }

    def notices(self, column: str, letter: str) -> Iterator[dict[str, object]]:
        for _ in range(self.random.randrange(3)):
            yield {column: self.key(letter), "modified_at": self.moment()}


def land_a_step(raw: RawWarehouse, company: RandomCompany) -> None:
    landings = [
        ("orders", list(company.orders()), "upsert"),
        ("order_lines", list(company.lines()), "upsert"),
        ("orders", list(company.notices("order_id", "O")), "delete"),
        ("order_lines", list(company.notices("order_line_id", "L")), "delete"),
    ]
    company.random.shuffle(landings)
    for entity, rows, operation in landings:
        raw.land(entity, rows, operation=operation)


def stage(raw: RawWarehouse) -> None:
    raw.run_number()
    incoming = [f"incoming_{name}" for name in MODELS]
    run_dbt(["run", "--select", *incoming, "stg_deletes", *(f"stg_{name}" for name in MODELS)])
    raw.mark_staged()


def test_random_changes_through_many_runs_equal_one_full_rebuild(raw: RawWarehouse) -> None:
    company = RandomCompany(seed=20261123)
    for _ in range(STEPS):
        land_a_step(raw, company)
        stage(raw)
    grown = {table: staged(raw, table) for table in MODELS}
    raw.run_number()

    run_dbt(["run", "--select", "stg_deletes", "stg_orders", "stg_order_lines"], full=True)

    assert {table: staged(raw, table) for table in MODELS} == grown
    assert len(grown["orders"]) == len(grown["order_lines"]) == 12
    assert {row["is_deleted"] for row in grown["orders"]} == {True, False}
