"""Where a mart's rows come from, for all inputs that keys alone do not lead to."""

from collections.abc import Mapping, Sequence

from flows.explaining.hops import Hop, Path, same


def _record(entity: str, system: str = "source_system", key: str = "") -> Hop:
    """Find one staged record, by its key in the mart."""
    return Hop(f"staging.{entity}", on={"source_system": system, "source_key": key})


def _crosswalk(key: str, entity: str, system: str = "source_system") -> Hop:
    """Find the customer that a record named in the mart belongs to."""
    return Hop(
        "identity.customer_crosswalk",
        on={"source_system": system, "source_key": key},
        where={"entity": entity, "is_current": True},
    )


def _records_of_customer(entity: str) -> tuple[Hop, Hop]:
    """Find the records that are a customer now."""
    link = Hop(
        "identity.customer_crosswalk",
        on=same("customer_id"),
        where={"entity": entity, "is_current": True},
    )
    return link, _record(entity, "1.source_system", "1.source_key")


CROSSWALK, PARENTS = "identity.customer_crosswalk", "identity.customer_crosswalk:parents"


def _customer(key: str, entity: str) -> Path:
    return Path(CROSSWALK, (_crosswalk(key, entity),))


def _rate(day: str) -> Path:
    return Path("marts.exchange_rates", (Hop("marts.exchange_rates", dated=day),))


def _lines(entity: str, key: str, **unless: str) -> Hop:
    return Hop(
        f"staging.{entity}", same("source_system", key), where={"is_deleted": False}, unless=unless
    )


def _order_lines_of(entity: str, key: str) -> Path:
    """Find the order lines that the lines of a document name."""
    named = Hop(
        "marts.order_lines",
        {"source_system": "1.source_system", "order_line_id": "1.order_line_id"},
    )
    return Path("marts.order_lines", (_lines(entity, key), named))


def _order(system: str = "source_system", key: str = "order_id") -> Path:
    return Path("marts.orders", (Hop("marts.orders", {"source_system": system, "order_id": key}),))


def _orders_from(key: str) -> Path:
    named = {"crm_source_system": "source_system", key: key}
    return Path("marts.orders", (Hop("marts.orders", named),))


def _goods(lines: str, header: str, key: str, **unless: str) -> Path:
    """Find lines that name an order line, unless their document is of another kind."""
    document = Hop(
        f"staging.{header}",
        {"source_system": "1.source_system", "source_key": f"1.{key}"},
        where={"is_deleted": False},
        unless=unless,
    )
    return Path(f"staging.{lines}", (_lines(lines, "order_line_id"), document), taken=1)


def _parents(entity: str, key: str) -> Path:
    parent = Hop(
        "identity.customer_crosswalk",
        {"source_system": "2.source_system", "source_key": f"2.{key}"},
        where={"entity": entity, "is_current": True},
    )
    return Path(PARENTS, (*_records_of_customer(entity), parent))


def _conflicting(path: Path, *fields: str) -> Path:
    """Take a path for the rows of customer_field_conflicts about certain fields."""
    return Path(path.input, path.hops, applies={"field": list(fields)})


def _site(role: str) -> Path:
    hop = Hop("marts.customer_addresses", same("customer_id"), where={f"is_{role}": True})
    return Path("marts.customer_addresses", (hop,), columns=f"{role}\\_%")


def _count(entity: str, column: str) -> Path:
    return Path(CROSSWALK, _records_of_customer(entity)[:1], columns=column)


_CUSTOMER_RECORDS = tuple(
    Path(f"staging.{entity}", _records_of_customer(entity)) for entity in ("accounts", "customers")
)
_SITES = Path(
    "marts.customer_addresses",
    (Hop("marts.customer_addresses", same("customer_id")),),
    applies={"field": ["billing_address", "shipping_address"]},
)

DOCUMENTS_AND_RECORDS: Mapping[str, Sequence[Path]] = {
    "orders": (
        _customer("erp_customer_id", "customers"),
        _rate("order_date"),
        Path(
            "staging.sales_orders",
            (_record("sales_orders", "crm_source_system", "sales_order_id"),),
        ),
        Path("staging.quotes", (_record("quotes", "crm_source_system", "quote_id"),)),
        Path("staging.addresses:bill_to", (_record("addresses", key="bill_to_address_id"),)),
        Path("staging.addresses:ship_to", (_record("addresses", key="ship_to_address_id"),)),
    ),
    "order_lines": (
        _goods("shipment_lines", "shipments", "shipment_id"),
        _goods("invoice_lines", "invoices", "invoice_id", reason="price_correction"),
        _goods("return_lines", "returns", "return_id"),
        Path(
            "staging.unit_conversions",
            (Hop("staging.unit_conversions", same("unit")),),
            columns="quantity_%",
            is_exact=False,
        ),
    ),
    "invoices": (
        _customer("erp_customer_id", "customers"),
        _rate("invoice_date"),
        _order(),
        _order_lines_of("invoice_lines", "invoice_id"),
    ),
    "returns": (
        _customer("erp_customer_id", "customers"),
        _rate("return_date"),
        _order(),
        _order_lines_of("return_lines", "return_id"),
    ),
    "shipments": (
        _customer("erp_customer_id", "customers"),
        _order(),
        _order_lines_of("shipment_lines", "shipment_id"),
    ),
    "complaints": (_customer("account_id", "accounts"), _order("order_source_system")),
    "quotes": (
        _customer("account_id", "accounts"),
        _rate("quote_date"),
        _orders_from("quote_id"),
    ),
    "opportunities": (
        _customer("account_id", "accounts"),
        _rate("close_date"),
        _orders_from("opportunity_id"),
    ),
    "customers": (
        *_CUSTOMER_RECORDS,
        _site("billing"),
        _site("shipping"),
        Path(
            "marts.orders",
            (Hop("marts.orders", same("customer_id"), unless={"status": "cancelled"}),),
        ),
        Path("marts.invoices", (Hop("marts.invoices", same("customer_id")),)),
        _count("accounts", "crm\\_record\\_count"),
        _count("customers", "erp\\_record\\_count"),
        Path(
            CROSSWALK,
            (Hop(CROSSWALK, same("customer_id"), where={"is_current": True}),),
            columns="customer\\_id",
        ),
        _parents("accounts", "parent_account_id"),
        _parents("customers", "parent_customer_id"),
    ),
    "customer_addresses": (
        Path(
            "staging.addresses", (Hop("staging.addresses", listed=("source_records", "addresses")),)
        ),
        Path("staging.accounts", (Hop("staging.accounts", listed=("source_records", "accounts")),)),
        Path(
            CROSSWALK,
            (Hop(CROSSWALK, same("customer_id"), where={"is_current": True}),),
        ),
    ),
    "customer_contacts": (
        Path("staging.contacts", (Hop("staging.contacts", listed=("source_records", "contacts")),)),
        Path(CROSSWALK, (Hop(CROSSWALK, same("customer_id"), where={"is_current": True}),)),
        Path(
            "identity.contact_crosswalk",
            (
                Hop("staging.contacts", listed=("source_records", "contacts")),
                Hop(
                    "identity.contact_crosswalk",
                    {"source_system": "1.source_system", "source_key": "1.source_key"},
                    where={"is_current": True},
                ),
            ),
        ),
    ),
    "customer_field_conflicts": (
        *(Path(path.input, path.hops, column_named_by="field") for path in _CUSTOMER_RECORDS),
        Path(
            CROSSWALK,
            (Hop(CROSSWALK, same("customer_id"), where={"is_current": True}),),
            is_exact=False,
        ),
        _conflicting(_parents("accounts", "parent_account_id"), "parent_customer_id"),
        _conflicting(_parents("customers", "parent_customer_id"), "parent_customer_id"),
        _SITES,
        Path(
            "marts.customers",
            (Hop("marts.customers", same("customer_id")),),
            columns="chosen\\_value",
            column_named_by="field",
        ),
        Path(
            "marts.customers",
            (Hop("marts.customers", same("customer_id")),),
            columns="customer\\_id",
        ),
    ),
    "products": (
        Path(
            "staging.products",
            (
                Hop("identity.product_crosswalk", same("product_id"), where={"is_current": True}),
                _record("products", "1.source_system", "1.source_key"),
            ),
        ),
        Path(
            "staging.products",
            (Hop("staging.products", same("product_number"), where={"is_deleted": False}),),
            applies={"product_id": None},
        ),
        Path(
            "identity.product_crosswalk",
            (Hop("identity.product_crosswalk", same("product_id"), where={"is_current": True}),),
        ),
    ),
    "exchange_rates": (
        Path(
            "staging.fx_rates",
            (
                Hop(
                    "staging.fx_rates",
                    same("source_system", "currency", "rate_date", "reporting_currency"),
                ),
            ),
        ),
    ),
    "product_crosswalk": (Path("staging.products", (_record("products", key="source_key"),)),),
}
