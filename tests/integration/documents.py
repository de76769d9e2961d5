"""Documents staged by hand, and the marts of documents made from them."""

from datetime import date
from typing import Any

from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.integration.staged import create_staging, new_run, stage

LAST_MARTS = ("document_match", "purchased_products", "sealed_document_breaches")
CHECKS = (
    "quantities_are_conserved",
    "nothing_is_allocated_twice",
    "progress_equals_the_ledger",
)
LINK = """
insert into identity.customer_crosswalk
    (customer_id, source_system, entity, source_key, method, probability, version)
values (%(customer)s, 'erp', 'customers', %(key)s, 'key', 1, %(run)s)
"""
CUSTOMER = """
insert into identity.customer_ids (customer_id, created_run_id)
values (%(customer)s, %(run)s) on conflict do nothing
"""
UNLINK = """
update identity.customer_crosswalk set valid_to = now(), version = %(run)s
where source_key = %(key)s and is_current
"""


def prepare() -> int:
    """Make empty staging tables and one customer with one site; return the run."""
    create_staging()
    run_id = new_run()
    stage("customers", "erp", run_id, customer_id="c1", name="Firma")
    belongs_to("C-1", "c1", run_id)
    site = {"role": "shipping", "street": "Storgata 1", "postal_code": "0150", "country": "NO"}
    stage("addresses", "erp", run_id, address_id="a1", customer_id="c1", **site)
    return run_id


def belongs_to(customer: str, key: str, run_id: int) -> None:
    """Let a record of the ERP be a customer from now on."""
    with connect() as connection:
        values = {"customer": customer, "key": key, "run": run_id}
        connection.execute(CUSTOMER, values)
        connection.execute(UNLINK, values)
        connection.execute(LINK, values)


def build(slot: str, run_id: int, *, full: bool = False) -> None:
    """Bring the marts of documents, and what they stand on, up to date in a slot."""
    selected = [f"+{mart},path:models/marts" for mart in LAST_MARTS]
    run_dbt(["run", "--select", *selected], slot=slot, full=full)
    with connect() as connection:
        connection.execute("update ops.slots set version = %s where slot = %s", (run_id, slot))


def check(slot: str = "a") -> None:
    """Let the checks of conservation judge a slot."""
    run_dbt(["test", "--select", *CHECKS], slot=slot)


def order(run_id: int, key: str = "O1", **values: Any) -> None:
    """Stage the head of an order."""
    row = {"order_id": key, "order_number": key, "customer_id": "c1", "currency": "EUR"}
    row |= {"order_date": date(2026, 3, 1), "status": "released", "ship_to_address_id": "a1"}
    stage("orders", "erp", run_id, **{**row, **values})


def line(run_id: int, key: str, order_id: str = "O1", **values: Any) -> None:
    """Stage a line of an order: ten of product A for 100."""
    row: dict[str, Any] = {"order_line_id": key, "order_id": order_id, "product_number": "A"}
    row |= {"quantity": 10, "unit": "C62", "unit_price": 10, "net_amount": 100, "tax_amount": 0}
    stage("order_lines", "erp", run_id, **{**row, **values})


def ship(run_id: int, key: str, line_key: str | None, quantity: float, **values: Any) -> None:
    """Stage a shipment of one line."""
    header = {"shipment_id": key, "order_id": values.pop("order_id", "O1")}
    header["customer_id"] = values.pop("customer_id", "c1")
    stage("shipments", "erp", run_id, ship_to_address_id="a1", **header)
    row = {"shipment_line_id": f"{key}-1", "shipment_id": key, "order_line_id": line_key}
    row |= {"product_number": "A", "quantity": quantity, "unit": "C62"}
    stage("shipment_lines", "erp", run_id, **{**row, **values})


def bill(
    run_id: int, key: str, line_key: str | None, quantity: float, amount: float, **head: Any
) -> None:
    """Stage an invoice or credit note of one line."""
    header = {"invoice_id": key, "invoice_number": key, "order_id": "O1", "customer_id": "c1"}
    header |= {"type": "invoice", "currency": "EUR", "invoice_date": date(2026, 3, 2)}
    stage("invoices", "erp", run_id, **{**header, "net_amount": amount, **head})
    row = {"invoice_line_id": f"{key}-1", "invoice_id": key, "order_line_id": line_key}
    row |= {"product_number": "A", "quantity": quantity, "unit": "C62", "net_amount": amount}
    unit_price = amount / quantity if quantity else 0
    stage("invoice_lines", "erp", run_id, **row, unit_price=unit_price, tax_amount=0)


def send_back(run_id: int, key: str, line_key: str | None, quantity: float) -> None:
    """Stage a return of one line."""
    header = {"return_id": key, "order_id": "O1", "customer_id": "c1"}
    stage("returns", "erp", run_id, **header, return_date=date(2026, 3, 9))
    row = {"return_line_id": f"{key}-1", "return_id": key, "order_line_id": line_key}
    stage("return_lines", "erp", run_id, **row, product_number="A", quantity=-quantity, unit="C62")


def rows(query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds."""
    with connect() as connection:
        return connection.execute(query.encode()).fetchall()
