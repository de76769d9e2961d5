"""Write staging tables directly, so that identity and marts are tested without landing anything."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from flows.core.canonical import Column, entities, entity
from flows.core.warehouse import connect
from flows.staging.scope import HISTORIES
from tests.fixtures.seeds import seed

TECHNICAL = """
    source_system text not null, kind text not null, source_key text not null,
    deleted_at timestamptz, batch_id bigint, raw_id bigint, version bigint not null,
    staged_at timestamptz default now(), primary key (source_system, source_key)
"""
HISTORY = """
    source_system text not null, source_key text not null, created_at timestamptz,
    is_deleted boolean not null, valid_from timestamptz not null, has_source_time boolean not null,
    recorded_at timestamptz not null, batch_id bigint not null,
    raw_id bigint generated always as identity, version bigint not null
"""
CRM_ONLY = {"accounts", "sales_orders", "quotes", "quote_lines", "opportunities", "cases"}


def create_staging(reporting_currency: str = "EUR") -> None:
    """Make the empty staging tables of every entity, and the rules and setting that marts need."""
    seed()
    with connect() as connection:
        for each in entities():
            columns = ", ".join(f"{column.name} {column.data_type}" for column in each.columns)
            connection.execute(
                f"create table staging.{each.name} ({columns}, {TECHNICAL})".encode()
            )
        for name, history in HISTORIES.items():
            connection.execute(_history(name, history).encode())
        connection.execute(
            "insert into ops.settings (key, value) values ('reporting_currency', %s)",
            (reporting_currency,),
        )


def _history(name: str, history: str) -> str:
    values = [f"{column.name} {column.data_type}" for column in _values(name)]
    return f"create table staging.{history} ({', '.join(values)}, {HISTORY})"


def _values(name: str) -> list[Column]:
    times = ("is_deleted", "created_at", "modified_at")
    return [column for column in entity(name).columns if column.name not in times]


def new_run() -> int:
    """Open a run, whose id is the version of what is staged next."""
    with connect() as connection:
        row = connection.execute(
            "insert into ops.runs (flow) values ('build') returning run_id"
        ).fetchone()
    assert row is not None
    return int(row[0])


def stage(name: str, system: str, run_id: int, /, **values: Any) -> None:
    """Write one row of an entity as the newest version of its key."""
    with connect() as connection:
        stage_on(connection, name, system, run_id, **values)


def stage_on(
    connection: psycopg.Connection, name: str, system: str, run_id: int, /, **values: Any
) -> None:
    """Write one row of an entity on an open connection."""
    row = {
        "source_system": system,
        "kind": system[:3],
        "source_key": "|".join(str(values[column]) for column in entity(name).key),
        "version": run_id,
        "is_deleted": False,
        **values,
    }
    connection.execute(
        sql.SQL("delete from staging.{} where (source_system, source_key) = (%s, %s)").format(
            sql.Identifier(name)
        ),
        (row["source_system"], row["source_key"]),
    )
    connection.execute(
        sql.SQL("insert into staging.{} ({}) values ({})").format(
            sql.Identifier(name),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        ),
        list(row.values()),
    )
    if name in HISTORIES:
        keep_versions(connection, name, row["source_key"])


def keep_versions(connection: psycopg.Connection, name: str, key: str | None = None) -> None:
    """Note the staged rows of an entity, or the one of a key, as the latest of their records."""
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in _values(name))
    connection.execute(
        sql.SQL(
            "insert into staging.{} (source_system, source_key, {columns}, created_at, is_deleted, "
            "valid_from, has_source_time, recorded_at, batch_id, version) "
            "select source_system, source_key, {columns}, created_at, is_deleted, "
            "coalesce(modified_at, staged_at), modified_at is not null, staged_at, "
            "version, version from staging.{} where source_key = coalesce(%s, source_key)"
        ).format(sql.Identifier(HISTORIES[name]), sql.Identifier(name), columns=columns),
        (key,),
    )


class Company:
    """Random rows of two ERPs and a CRM over few keys, so that they often meet and move."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def change(self, run_id: int, count: int) -> None:
        """Stage `count` random rows: new ones, changed, moved and deleted ones alike."""
        makers = [
            self._account, self._customer, self._address, self._contact, self._product,
            self._order, self._order_line, self._order_line, self._shipment, self._shipment_line,
            self._invoice, self._invoice_line, self._return, self._return_line, self._rate,
            self._sales_order, self._quote, self._quote_line, self._opportunity, self._case,
        ]  # fmt: skip
        with connect() as connection:
            for _ in range(count):
                name, values = self._random.choice(makers)()
                system = "crm" if name in CRM_ONLY else self._one("erp_no", "erp_de")
                if name in {"contacts", "products"}:
                    system = self._one("crm", "erp_no")
                values["is_deleted"] = self._random.random() < 0.15
                stage_on(connection, name, system, run_id, **values)

    def _one(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _id(self, prefix: str, size: int) -> str:
        return f"{prefix}{self._random.randrange(size)}"

    def _maybe(self, value: Any) -> Any:
        return value if self._random.random() < 0.75 else None

    def _day(self) -> date:
        return date(2026, 1, 1) + timedelta(days=self._random.randrange(20))

    def _time(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=self._random.randrange(500))

    def _number(self) -> int:
        return self._random.randrange(-5, 20)

    def _money(self) -> float:
        return self._random.randrange(0, 100_000) / 100

    def _currency(self) -> str | None:
        return self._maybe(self._one("EUR", "NOK", "USD", "JPY"))

    def _name(self) -> str:
        return self._one("Møller AS", "Moeller", "Fjord & Sea Ltd", "Fjord and Sea", "Straße GmbH")

    def _account(self) -> tuple[str, dict[str, Any]]:
        return "accounts", {
            "account_id": self._id("a", 12), "name": self._name(), "phone": self._maybe("+47 1"),
            "tax_id": self._maybe(self._id("NO98765432", 5)), "type": self._maybe("customer"),
            "erp_customer_id": self._maybe(self._id("c", 30)),
            "parent_account_id": self._maybe(self._id("a", 12)),
            "merged_into_id": self._one(None, None, None, self._id("a", 12)),
            "billing_street": self._maybe(self._one("Street 1", "STREET 1.")),
            "billing_postal_code": self._id("015", 5), "shipping_street": self._maybe("Street 1"),
            "shipping_postal_code": self._id("015", 5), "modified_at": self._maybe(self._time()),
        }  # fmt: skip

    def _customer(self) -> tuple[str, dict[str, Any]]:
        return "customers", {
            "customer_id": self._id("c", 12), "name": self._name(), "email": self._maybe("x@y.no"),
            "customer_number": self._id("c", 30), "credit_limit": self._maybe(self._money()),
            "tax_id": self._maybe(self._id("NO98765432", 5)), "currency": self._currency(),
            "parent_customer_id": self._maybe(self._id("c", 12)),
            "crm_account_id": self._maybe(self._id("a", 40)),
            "modified_at": self._maybe(self._time()),
        }  # fmt: skip

    def _address(self) -> tuple[str, dict[str, Any]]:
        return "addresses", {
            "address_id": self._id("ad", 15), "customer_id": self._id("c", 12),
            "role": self._one("billing", "shipping", "both", "other"), "street": "Street 1",
            "postal_code": self._id("015", 5), "is_default": self._number() > 5,
            "modified_at": self._maybe(self._time()),
        }  # fmt: skip

    def _contact(self) -> tuple[str, dict[str, Any]]:
        return "contacts", {
            "contact_id": self._id("p", 10), "account_id": self._id("a", 12),
            "customer_id": self._id("c", 12), "first_name": self._one("Ada", "ADA"),
            "last_name": self._maybe("Lovelace"), "email": self._maybe("ada@example.org"),
            "role": self._one("sales", "billing", "other"),
        }  # fmt: skip

    def _product(self) -> tuple[str, dict[str, Any]]:
        return "products", {
            "product_id": self._id("p", 8), "product_number": self._maybe(self._id("N", 5)),
            "list_price": self._maybe(self._money()), "is_active": self._maybe(self._number() > 5),
        }  # fmt: skip

    def _order(self) -> tuple[str, dict[str, Any]]:
        return "orders", {
            "order_id": self._id("o", 20), "order_number": self._id("1000", 15),
            "customer_id": self._id("c", 12), "order_date": self._maybe(self._day()),
            "status": self._one("open", "shipped", "cancelled"), "currency": self._currency(),
            "net_amount": self._maybe(self._money()), "tax_amount": self._maybe(self._money()),
            "external_reference": self._maybe(self._one(self._id("S", 8), self._id("Q", 8))),
            "bill_to_address_id": self._maybe(self._id("ad", 15)),
            "ship_to_address_id": self._maybe(self._id("ad", 15)),
        }  # fmt: skip

    def _order_line(self) -> tuple[str, dict[str, Any]]:
        return "order_lines", {
            "order_line_id": self._id("l", 40), "order_id": self._id("o", 20),
            "product_number": self._id("N", 5), "quantity": self._number(),
            "net_amount": self._maybe(self._money()), "tax_amount": self._maybe(self._money()),
            "line_number": self._maybe(self._number()), "status": self._one(None, "cancelled"),
            "kit_parent_line_id": self._one(None, None, None, self._id("l", 40)),
        }  # fmt: skip

    def _shipment(self) -> tuple[str, dict[str, Any]]:
        return "shipments", {
            "shipment_id": self._id("s", 12), "order_id": self._maybe(self._id("o", 20)),
            "customer_id": self._maybe(self._id("c", 12)),
        }  # fmt: skip

    def _shipment_line(self) -> tuple[str, dict[str, Any]]:
        return "shipment_lines", {
            "shipment_line_id": self._id("sl", 25), "shipment_id": self._id("s", 12),
            "order_line_id": self._maybe(self._id("l", 40)), "quantity": self._number(),
            "product_number": self._maybe(self._id("N", 5)),
            "serial_number": self._one(None, None, self._id("SN", 5)),
        }  # fmt: skip

    def _invoice(self) -> tuple[str, dict[str, Any]]:
        return "invoices", {
            "invoice_id": self._id("i", 15), "order_id": self._maybe(self._id("o", 20)),
            "customer_id": self._maybe(self._id("c", 12)), "currency": self._currency(),
            "type": self._one("invoice", "credit_note"), "invoice_date": self._maybe(self._day()),
            "reason": self._one(None, "return", "goodwill"), "open_amount": self._money(),
            "net_amount": self._maybe(self._money()),
            "corrects_invoice_id": self._one(None, self._id("i", 15)),
        }  # fmt: skip

    def _invoice_line(self) -> tuple[str, dict[str, Any]]:
        return "invoice_lines", {
            "invoice_line_id": self._id("il", 30), "invoice_id": self._id("i", 15),
            "order_line_id": self._maybe(self._id("l", 40)), "quantity": self._number(),
            "net_amount": self._maybe(self._money()), "product_number": self._id("N", 5),
        }  # fmt: skip

    def _return(self) -> tuple[str, dict[str, Any]]:
        return "returns", {
            "return_id": self._id("r", 8), "order_id": self._maybe(self._id("o", 20)),
            "customer_id": self._maybe(self._id("c", 12)), "return_date": self._maybe(self._day()),
        }  # fmt: skip

    def _return_line(self) -> tuple[str, dict[str, Any]]:
        return "return_lines", {
            "return_line_id": self._id("rl", 12), "return_id": self._id("r", 8),
            "order_line_id": self._maybe(self._id("l", 40)), "quantity": self._number(),
            "net_amount": self._maybe(self._money()), "product_number": self._id("N", 5),
        }  # fmt: skip

    def _rate(self) -> tuple[str, dict[str, Any]]:
        return "fx_rates", {
            "currency": self._one("NOK", "USD"), "rate_date": self._day(),
            "reporting_currency": self._one("EUR", "EUR", "GBP"), "rate": self._money() / 1000 + 1,
        }  # fmt: skip

    def _sales_order(self) -> tuple[str, dict[str, Any]]:
        return "sales_orders", {
            "sales_order_id": self._id("so", 10), "order_number": self._id("S", 8),
            "account_id": self._id("a", 12), "quote_id": self._maybe(self._id("q", 10)),
            "opportunity_id": self._maybe(self._id("op", 8)),
            "erp_order_number": self._maybe(self._id("1000", 15)),
        }  # fmt: skip

    def _quote(self) -> tuple[str, dict[str, Any]]:
        return "quotes", {
            "quote_id": self._id("q", 10), "quote_number": self._id("Q", 8),
            "revision": self._number(), "account_id": self._id("a", 12),
            "opportunity_id": self._maybe(self._id("op", 8)),
            "quote_date": self._maybe(self._day()), "currency": self._currency(),
            "net_amount": self._maybe(self._money()),
        }  # fmt: skip

    def _quote_line(self) -> tuple[str, dict[str, Any]]:
        return "quote_lines", {
            "quote_line_id": self._id("ql", 25), "quote_id": self._id("q", 10),
            "line_number": self._number(), "product_number": self._id("N", 5),
            "quantity": self._number(), "net_amount": self._maybe(self._money()),
        }  # fmt: skip

    def _opportunity(self) -> tuple[str, dict[str, Any]]:
        return "opportunities", {
            "opportunity_id": self._id("op", 8), "account_id": self._id("a", 12),
            "close_date": self._maybe(self._day()), "currency": self._currency(),
            "amount": self._maybe(self._money()),
        }  # fmt: skip

    def _case(self) -> tuple[str, dict[str, Any]]:
        return "cases", {
            "case_id": self._id("k", 10), "account_id": self._maybe(self._id("a", 12)),
            "order_number": self._one(self._id("1000", 15), self._id("S", 8)),
            "type": self._one("complaint", "complaint", "question"),
        }  # fmt: skip
