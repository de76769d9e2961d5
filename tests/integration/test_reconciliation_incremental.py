"""Any sequence of incremental runs reconciles as one full build would, down to the line."""

import random
from typing import Any

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from flows.identity import assign, standardise
from tests.integration.staged import Company, create_staging, new_run, stage_on
from tests.integration.test_marts_incremental_equals_full import differing_rows

RUNS = 4
MARTS = (
    "reconciliation_documents",
    "order_line_reconciliation",
    "reconciliation_differences",
    "order_reconciliation",
    "order_match_proposals",
    "reconciliation_waterfall",
)
SELECTED = "+path:models/marts/reconciliation,path:models/marts"
UNITS = ("C62", "DZN", "KGM", None)


class Trade:
    """Random sales with lines beside the random company, so that pairs form, split and move."""

    def __init__(self, seed: int) -> None:
        self._company = Company(seed)
        self._random = random.Random(seed)

    def change(self, run_id: int, count: int) -> None:
        """Stage random rows of the company, and as many of its sales."""
        self._company.change(run_id, count)
        makers = [
            self._sale, self._sale_line, self._quote, self._quote_line, self._order,
            self._order_line, self._opportunity, self._opportunity_line, self._product,
        ]  # fmt: skip
        with connect() as connection:
            for _ in range(count):
                name, values = self._random.choice(makers)()
                values["is_deleted"] = self._random.random() < 0.1
                system = "erp_no" if name in ("orders", "order_lines", "products") else "crm"
                stage_on(connection, name, system, run_id, **values)

    def _one(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _id(self, prefix: str, size: int) -> str:
        return f"{prefix}{self._random.randrange(size)}"

    def _day(self) -> str:
        return f"2026-0{self._one(1, 2)}-{self._random.randrange(1, 28):02}"

    def _rarely(self, value: Any, usual: Any) -> Any:
        return value if self._random.random() < 0.04 else usual

    def _currency(self) -> str | None:
        return self._rarely(self._one("NOK", "BRL", None), "EUR")

    def _total(self) -> float | None:
        return self._rarely(None, self._one(40, 20.01))

    def _amounts(self) -> dict[str, Any]:
        return {
            "line_number": self._random.randrange(4), "product_number": self._id("n-", 3),
            "quantity": self._random.randrange(-1, 5), "unit": self._one(*UNITS),
            "unit_price": self._one(10, 12.5, 0, None), "discount_pct": self._one(0, 5, None, 110),
            "net_amount": self._one(10, 12.5, 20, 20.01, None),
        }  # fmt: skip

    def _sale(self) -> tuple[str, dict[str, Any]]:
        number = self._random.randrange(8)
        return "sales_orders", {
            "sales_order_id": f"sale{number}", "order_number": f"T{number}",
            "account_id": self._id("a", 4), "quote_id": self._one(None, None, self._id("q", 10)),
            "opportunity_id": self._one(None, self._id("op", 8)), "order_date": self._day(),
            "status": self._one("activated", "activated", "activated", "cancelled"),
            "currency": self._currency(), "net_amount": self._total(),
            "erp_order_number": self._one(None, self._id("1000", 15)),
        }  # fmt: skip

    def _sale_line(self) -> tuple[str, dict[str, Any]]:
        ids = {"sales_order_line_id": self._id("sl", 40), "sales_order_id": self._id("sale", 8)}
        return "sales_order_lines", {**ids, **self._amounts()}

    def _quote(self) -> tuple[str, dict[str, Any]]:
        return "quotes", {
            "quote_id": self._id("q", 10), "quote_number": self._id("Q", 6),
            "revision": self._random.randrange(3), "account_id": self._id("a", 4),
            "opportunity_id": self._one(None, self._id("op", 8)), "quote_date": self._day(),
            "status": self._one("accepted", "accepted", "presented"),
            "currency": self._currency(), "net_amount": self._total(),
        }  # fmt: skip

    def _quote_line(self) -> tuple[str, dict[str, Any]]:
        ids = {"quote_line_id": self._id("ql", 30), "quote_id": self._id("q", 10)}
        return "quote_lines", {**ids, **self._amounts()}

    def _opportunity(self) -> tuple[str, dict[str, Any]]:
        return "opportunities", {
            "opportunity_id": self._id("op", 8), "account_id": self._id("a", 4),
            "close_date": self._day(), "currency": self._currency(),
            "is_won": self._random.random() < 0.7, "amount": self._total(),
        }  # fmt: skip

    def _opportunity_line(self) -> tuple[str, dict[str, Any]]:
        ids = {"opportunity_line_id": self._id("ol", 20), "opportunity_id": self._id("op", 8)}
        values = {name: value for name, value in self._amounts().items() if name != "unit"}
        return "opportunity_lines", {**ids, **values}

    def _order(self) -> tuple[str, dict[str, Any]]:
        return "orders", {
            "order_id": self._id("order", 12), "order_number": self._id("1000", 15),
            "customer_id": self._id("c", 4), "order_date": self._day(),
            "status": self._one("open", "shipped", "cancelled"), "currency": self._currency(),
            "net_amount": self._total(), "tax_amount": self._one(None, 5),
            "external_reference": self._id(self._one("T", "T", "T", "Q", "op"), 8),
            "company": self._one("NO01", "DE01"),
        }  # fmt: skip

    def _order_line(self) -> tuple[str, dict[str, Any]]:
        ids = {"order_line_id": self._id("line", 40), "order_id": self._id("order", 12)}
        kit = {"kit_parent_line_id": self._one(None, None, None, None, self._id("line", 40))}
        return "order_lines", {**ids, **self._amounts(), **kit}

    def _product(self) -> tuple[str, dict[str, Any]]:
        number = self._random.randrange(5)
        return "products", {
            "product_id": f"p{number}", "product_number": self._id("N", 5),
            "substitutes_product_number": self._one(None, self._id("n.", 3)),
        }  # fmt: skip


def build(slot: str, run_id: int, *, full: bool = False) -> None:
    run_dbt(["run", "--select", SELECTED], slot=slot, full=full)
    with connect() as connection:
        connection.execute("update ops.slots set version = %s where slot = %s", (run_id, slot))


def test_pairs_that_form_split_and_move_are_reconciled_as_in_a_full_build(warehouse: str) -> None:
    create_staging()
    trade = Trade(1)
    for number in range(RUNS):
        run_id = new_run()
        trade.change(run_id, 300 if number == 0 else 12)
        standardise(run_id)
        run_dbt(["run", "--select", "path:models/identity"])
        assign(run_id)
        build("a", run_id)
    build("b", run_id, full=True)
    assert {mart: rows for mart in MARTS if (rows := differing_rows(mart))} == {}
    run_dbt(
        [
            "test",
            "--select",
            "path:models/marts/reconciliation,test_type:data",
            "the_waterfall_leads_from_the_crm_to_the_erp",
            "every_order_and_every_line_is_reconciled_once",
        ],
        slot="a",
    )
    with connect() as connection:
        (causes,) = connection.execute(
            "select count(distinct cause) from marts_a.reconciliation_differences"
        ).fetchone() or (0,)
    assert causes >= 6
