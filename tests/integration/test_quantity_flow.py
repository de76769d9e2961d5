"""Whatever the rows of documents look like, every unit is in the ledger once."""

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flows.core.dbt import run_dbt, target_path
from flows.core.warehouse import connect
from tests.integration.documents import (
    CHECKS,
    bill,
    build,
    check,
    line,
    order,
    prepare,
    rows,
    send_back,
    ship,
)
from tests.integration.staged import new_run, stage_on

MODELS = (
    "order_line_progress", "orders", "order_lines", "invoices", "invoice_lines", "shipments",
    "shipment_lines", "returns", "return_lines", "quotes", "quantity_flow",
)  # fmt: skip
STAGED = (
    "orders", "order_lines", "shipments", "shipment_lines", "invoices", "invoice_lines", "returns",
    "return_lines", "quotes", "quote_lines",
)  # fmt: skip
ORDERS, LINES = ("O1", "O2"), ("l0", "l1", "l2", "l3", "l4")
QUANTITIES = st.sampled_from([-4, -1, 0, 1, 2, 3, 5, 8, 2.5])
PRODUCTS = st.sampled_from(["A", "a ", "B", None])
UNITS = st.sampled_from(["C62", "C62", None, "BX", "DZN"])


@dataclass(frozen=True)
class Line:
    """A line of some document: which order and order line it is for, and what it moves."""

    order_id: str | None
    order_line_id: str | None
    product_number: str | None
    quantity: float
    unit: str | None
    kind: str


Ordered = tuple[str, str | None, float, str | None]
Drawn = tuple[list[Ordered], list[Line], list[Line], list[Line], list[Line]]


def lines(*kinds: str, most: int) -> st.SearchStrategy[list[Line]]:
    """Return lists of lines; some name an order line, some an order, some nothing."""
    some = st.builds(
        Line,
        st.sampled_from([*ORDERS, *ORDERS, "O9", None]),
        st.sampled_from([*LINES, None, None, "l9"]),
        PRODUCTS,
        QUANTITIES,
        UNITS,
        st.sampled_from(kinds),
    )
    return st.lists(some, max_size=most)


DOCUMENTS = st.tuples(
    st.lists(st.tuples(st.sampled_from(ORDERS), PRODUCTS, QUANTITIES, UNITS), max_size=5),
    lines("quote", most=3),
    lines("shipment", most=5),
    lines("invoice", "invoice", "void", "return", "price_correction", "other", most=6),
    lines("return", "return", "cancelled", most=4),
)


def compiled(name: str) -> str:
    """Return the SQL that dbt made of a model or test."""
    folders = ("marts", "documents", "tests")
    found = (target_path() / "compiled").rglob(f"{name}.sql")
    (path,) = (each for each in found if each.parent.name in folders)
    return path.read_text("utf-8").rstrip().rstrip(";")


def refill(connection: psycopg.Connection, mart: str, query: str) -> None:
    """Replace the rows of a mart, column by column: a contract has an order of its own."""
    found = connection.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and not attisdropped order by attnum",
        (f"marts_a.{mart}",),
    )
    columns = ", ".join(name for (name,) in found)
    connection.execute(f"delete from marts_a.{mart}".encode())
    connection.execute(
        f"insert into marts_a.{mart} select {columns} from ({query}) as computed".encode()
    )


def write(connection: psycopg.Connection, drawn: Drawn) -> None:
    """Stage two orders of one quote, and whatever was drawn."""
    ordered, quoted, shipped, billed, returned = drawn

    def put(entity: str, **values: object) -> None:
        system = "crm" if entity.startswith("quote") else "erp"
        stage_on(connection, entity, system, 1, **values)

    put("quotes", quote_id="Q1", quote_number="Q1", status="accepted", account_id="a1")
    for number, key in enumerate(ORDERS):
        day = date(2026, 3, 1) + timedelta(days=number)
        put("orders", order_id=key, order_number=key, external_reference="Q1", order_date=day)
    for key, (order_id, product, quantity, unit) in zip(LINES, ordered, strict=False):
        row = {"order_id": order_id, "product_number": product, "quantity": quantity, "unit": unit}
        put("order_lines", order_line_id=key, line_number=int(key[1]), **row)
    for number, one in enumerate(quoted):
        row = {"quote_id": "Q1", "product_number": one.product_number, "quantity": one.quantity}
        put("quote_lines", quote_line_id=f"q{number}", line_number=number, unit=one.unit, **row)
    for document, entity, some in (
        ("shipment", "shipments", shipped), ("invoice", "invoices", billed),
        ("return", "returns", returned),
    ):  # fmt: skip
        for number, one in enumerate(some):
            # Two lines share a document, so that one may say whose order the other is for.
            head = f"{document}{number // 2}"
            put(entity, **{f"{document}_id": head, "order_id": one.order_id, **_head(one, entity)})
            row = {"order_line_id": one.order_line_id, "product_number": one.product_number}
            row |= {f"{document}_line_id": f"{document}{number}-1", f"{document}_id": head}
            put(f"{document}_lines", quantity=one.quantity, unit=one.unit, **row)


def _head(one: Line, entity: str) -> dict[str, object]:
    if entity == "shipments":
        return {}
    if entity == "returns":
        return {"status": one.kind}
    if one.kind in ("invoice", "void"):
        return {"type": "invoice", "status": one.kind}
    return {"type": "credit_note", "reason": one.kind, "corrects_invoice_id": "invoice0"}


def test_every_unit_of_any_documents_is_in_the_ledger_once(warehouse: str) -> None:
    build("a", prepare(), full=True)
    run_dbt(["compile", "--select", *CHECKS], slot="a")
    models = {name: compiled(name) for name in MODELS}
    checks = {name: compiled(name) for name in CHECKS}

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(DOCUMENTS)
    def holds(drawn: Drawn) -> None:
        with connect() as connection:
            for table in STAGED:
                connection.execute(f"delete from staging.{table}".encode())
            write(connection, drawn)
            for name, statement in models.items():
                refill(connection, name, statement)
            for name, statement in checks.items():
                assert connection.execute(statement.encode()).fetchall() == [], name

    holds()


def test_documents_that_change_and_move_leave_the_ledger_as_one_full_build(warehouse: str) -> None:
    run_id = prepare()
    for number in range(1, 6):
        order(run_id, f"O{number}")
        line(run_id, f"l{number}", f"O{number}")
        ship(run_id, f"S{number}", f"l{number}", 6, order_id=f"O{number}")
        bill(run_id, f"I{number}", f"l{number}", 6, 60, order_id=f"O{number}")
    build("a", run_id)
    run_id = new_run()
    ship(run_id, "S1", "l2", 6, order_id="O2")
    ship(run_id, "S2", None, 1, order_id="O3", unit="DZN")
    bill(run_id, "I3", "l4", 6, 60, order_id="O4")
    bill(run_id, "N4", None, -2, -20, order_id=None, type="credit_note", corrects_invoice_id="I4")
    send_back(run_id, "R1", "l1", 2)
    line(run_id, "l5", "O5", is_deleted=True)
    build("a", run_id)
    check()
    build("b", run_id, full=True)
    for mart in ("quantity_flow", "order_line_progress", "document_match", "purchased_products"):
        one, other = f"select * from marts_a.{mart}", f"select * from marts_b.{mart}"
        assert rows(f"({one} except {other}) union all ({other} except {one})") == []
    over = "select to_line_id, quantity from marts_a.quantity_flow where state = 'over' "
    assert rows(f"{over} and step = 'order_to_shipment' order by 1") == [
        ("S2-1", 8),
        ("S5-1", 6),
    ]
