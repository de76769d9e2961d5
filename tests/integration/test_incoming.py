"""Raw rows become typed, cleaned and judged rows, whatever is in them."""

import pytest

from flows.core.dbt import run_dbt
from tests.fixtures.raw import RawWarehouse
from tests.fixtures.seeds import seed

ORDER = {"order_id": "O1", "customer_id": "C1", "currency": "EUR", "order_date": "2026-01-02"}
LINE = {"order_line_id": "L1", "order_id": "O1", "quantity": "2", "net_amount": "10.00"}


@pytest.fixture
def raw(warehouse: str) -> RawWarehouse:
    prepared = RawWarehouse(warehouse)
    seed()
    prepared.prepare("accounts", "fx_rates", "orders", "order_lines")
    prepared.run_number()
    return prepared


def build(*models: str) -> None:
    run_dbt(["run", "--select", *models])


def rules(raw: RawWarehouse, table: str) -> dict[str, set[str]]:
    found = raw.rows(f"select source_key, failed_rules from incoming.{table}")
    return {str(key): set(broken or []) for key, broken in found}


def test_values_are_typed_and_bad_ones_mark_the_row_not_the_run(raw: RawWarehouse) -> None:
    good = ORDER | {"order_id": " good ", "currency": "eur", "status": "Open", "net_amount": "1e2"}
    raw.land(
        "orders",
        [
            good | {"modified_at": "2026-01-02T03:04:05", "created_at": "2026-01-02T03:04:05+02"},
            ORDER | {"order_id": "infinite", "net_amount": "Infinity", "order_date": "infinity"},
            ORDER | {"order_id": "nan", "net_amount": "NaN"},
            ORDER | {"order_id": "wide", "net_amount": "1" + "0" * 17},
            ORDER | {"order_id": "american", "order_date": "03/04/2026"},
            ORDER | {"order_id": "impossible", "order_date": "2026-02-30"},
            ORDER | {"order_id": "ancient", "order_date": "0026-01-02"},
            ORDER | {"order_id": "strange", "currency": "EURO", "status": "lost"},
            ORDER | {"order_id": "orphan", "customer_id": "  "},
            {"order_number": "no key"},
            ORDER | {"order_id": "blank", "order_date": "", "net_amount": " "},
        ],
        status="landed",
    )

    build("incoming_orders")

    assert rules(raw, "orders") == {
        "good": set(),
        "infinite": {"net_amount_is_readable", "order_date_is_readable"},
        "nan": {"net_amount_is_readable"},
        "wide": {"net_amount_is_readable"},
        "american": {"order_date_is_readable"},
        "impossible": {"order_date_is_readable"},
        "ancient": {"order_date_is_plausible"},
        "strange": {"currency_is_known", "status_is_known"},
        "orphan": {"customer_id_is_present"},
        "None": {"order_id_is_present", "customer_id_is_present"},
        "blank": set(),
    }
    assert raw.rows(
        "select net_amount, money_at_risk, currency, status, "
        "modified_at at time zone 'UTC' = '2026-01-02 03:04:05', "
        "created_at at time zone 'UTC' = '2026-01-02 01:04:05' "
        "from incoming.orders where source_key = 'good'"
    ) == [(100, 100, "EUR", "open", True, True)]


def test_countries_are_read_in_many_spellings_and_rates_by_three_keys(raw: RawWarehouse) -> None:
    spellings = ["Deutschland", "UK", "USA", "deu", "Österreich", "日本", "fr", "Atlantis"]
    raw.land(
        "accounts",
        [{"account_id": str(n), "billing_country": name} for n, name in enumerate(spellings)],
        connection="crm",
        status="landed",
    )
    rate = {"currency": "usd", "reporting_currency": "EUR", "rate_date": "2026-01-02"}
    raw.land("fx_rates", [rate | {"rate": "0.9"}, rate | {"rate": "0"}], status="refused")

    build("incoming_accounts", "incoming_fx_rates")

    found = raw.rows("select billing_country from incoming.accounts order by account_id")
    assert [country for (country,) in found] == [
        "DE",
        "GB",
        "US",
        "DE",
        "AT",
        "JP",
        "FR",
        "Atlantis",
    ]
    assert rules(raw, "accounts")["7"] == {"billing_country_is_known"}
    assert raw.rows(
        "select source_key, is_newest, failed_rules from incoming.fx_rates order by raw_id"
    ) == [
        ("USD|2026-01-02|EUR", False, None),
        ("USD|2026-01-02|EUR", True, ["rate_is_in_range", "rows_of_one_key_agree"]),
    ]


def test_only_pending_batches_and_open_quarantine_come_in(raw: RawWarehouse) -> None:
    staged = raw.land("orders", [ORDER | {"order_id": "old"}], status="staged")
    held = raw.land("orders", [ORDER | {"order_id": "held"}], status="staged")
    raw.hold("orders", held)
    raw.land("orders", [ORDER | {"order_id": "gone"}], status="discarded")
    raw.land("orders", [ORDER | {"order_id": "new"}], status="landed")
    both = raw.land("orders", [ORDER | {"order_id": "both"}], status="accepted")
    raw.hold("orders", both)

    build("incoming_orders")

    found = raw.rows("select source_key, is_retry from incoming.orders order by source_key")
    assert found == [("both", True), ("held", True), ("new", False)]
    assert staged < held


REPEATED = [
    LINE | {"order_line_id": "same", "order_id": "same"},
    LINE | {"order_line_id": "same", "order_id": "same"},
    LINE | {"order_line_id": "clash", "order_id": "clash"},
    LINE | {"order_line_id": "clash", "order_id": "clash", "quantity": "3"},
    LINE | {"order_line_id": "shared", "order_id": "apart"},
    LINE | {"order_line_id": "own", "order_id": "apart"},
    LINE | {"order_line_id": "shared", "order_id": "from"},
    LINE | {"order_line_id": "newer", "order_id": "newer", "modified_at": "2026-01-02"},
    LINE | {"order_line_id": "newer", "order_id": "newer", "modified_at": "2026-01-01"},
    LINE | {"order_line_id": "gone", "order_id": "newer"},
    LINE | {"order_line_id": "gone", "order_id": "newer", "is_deleted": "true"},
]


def test_lines_that_one_delivery_gives_one_key_are_told_from_versions(raw: RawWarehouse) -> None:
    marked = {
        "same": {"line_is_given_once"},
        "clash": {"key_is_of_one_line"},
        "shared": {"key_is_of_one_line"},
    }
    batch = raw.land("order_lines", REPEATED, status="landed")
    build("tag:incoming")
    assert rules(raw, "order_lines where is_newest and failed_rules is not null") == marked
    shared = "select document_key from incoming.documents where 'key_is_of_one_line' = any({})"
    assert raw.rows(shared.format("failed_rules")) == [("apart",)]

    raw.hold("order_lines", batch)  # what is held is compared again in every run
    build("incoming_order_lines")
    assert rules(raw, "order_lines where is_newest and failed_rules is not null") == marked


def test_a_document_is_compared_with_all_its_lines_staged_or_incoming(raw: RawWarehouse) -> None:
    def order(key: str, amount: str | None) -> dict[str, object]:
        return ORDER | {"order_id": key, "net_amount": amount}

    def line(key: str, document: str, amount: str | None) -> dict[str, object]:
        return LINE | {"order_line_id": key, "order_id": document, "net_amount": amount}

    raw.land("orders", [order("fits", "20"), order("grows", "10"), order("shrinks", "20")])
    raw.land("order_lines", [line("f1", "fits", "10.01"), line("f2", "fits", "9.99")])
    raw.land("order_lines", [line("g1", "grows", "10"), line("s1", "shrinks", "10")])
    raw.land("order_lines", [line("s2", "shrinks", "10")])
    build("tag:incoming")
    build("stg_orders", "stg_order_lines", "stg_deletes")
    raw.mark_staged()
    assert raw.rows("select * from incoming.documents where failed_rules is not null") == []

    raw.land("order_lines", [line("g2", "grows", "5"), line("x1", "missing", "1")], status="landed")
    raw.land("order_lines", [{"order_line_id": "s2"}], operation="delete", status="landed")
    raw.land("orders", [order("empty", "3"), order("unknown", None)], status="landed")
    raw.land("order_lines", [line("u1", "unknown", "4")], status="landed")
    build("tag:incoming")

    found = raw.rows(
        "select document_key, line_count, difference, failed_rules from incoming.documents "
        "order by document_key"
    )
    assert found == [
        ("empty", 0, None, ["has_lines"]),
        ("grows", 2, -5, ["lines_sum_to_header"]),
        ("missing", 1, None, ["header_is_present"]),
        ("shrinks", 1, 10, ["lines_sum_to_header"]),
        ("unknown", 1, None, None),
    ]
