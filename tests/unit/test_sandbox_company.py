from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from flows.core.canonical import entities, entity
from flows.sandbox.company import write_company
from flows.sandbox.deals import CAUSES
from flows.sandbox.extract import Row, file_name, read
from flows.sandbox.truth import CompanyTruth, OrderDifference

SCALE = 0.3
DOCUMENTS = {
    "order": ("erp", "orders", "order_lines", "order_id"),
    "invoice": ("erp", "invoices", "invoice_lines", "invoice_id"),
    "quote": ("crm", "quotes", "quote_lines", "quote_id"),
    "sales_order": ("crm", "sales_orders", "sales_order_lines", "sales_order_id"),
    "opportunity": ("crm", "opportunities", "opportunity_lines", "opportunity_id"),
}
REFERENCES = (
    ("crm", "contacts", "account_id", "crm", "accounts"),
    ("crm", "opportunities", "account_id", "crm", "accounts"),
    ("crm", "opportunities", "owner_id", "crm", "users"),
    ("crm", "quotes", "opportunity_id", "crm", "opportunities"),
    ("crm", "sales_orders", "account_id", "crm", "accounts"),
    ("crm", "sales_orders", "opportunity_id", "crm", "opportunities"),
    ("crm", "sales_orders", "quote_id", "crm", "quotes"),
    ("crm", "cases", "contact_id", "crm", "contacts"),
    ("crm", "cases", "order_number", "erp", "orders"),
    ("erp", "customers", "parent_customer_id", "erp", "customers"),
    ("erp", "addresses", "customer_id", "erp", "customers"),
    ("erp", "orders", "customer_id", "erp", "customers"),
    ("erp", "orders", "bill_to_address_id", "erp", "addresses"),
    ("erp", "orders", "ship_to_address_id", "erp", "addresses"),
    ("erp", "order_events", "order_id", "erp", "orders"),
    ("erp", "shipments", "order_id", "erp", "orders"),
    ("erp", "shipment_lines", "shipment_id", "erp", "shipments"),
    ("erp", "shipment_lines", "order_line_id", "erp", "order_lines"),
    ("erp", "invoices", "order_id", "erp", "orders"),
    ("erp", "invoices", "corrects_invoice_id", "erp", "invoices"),
    ("erp", "invoice_lines", "order_line_id", "erp", "order_lines"),
    ("erp", "returns", "order_id", "erp", "orders"),
    ("erp", "return_lines", "order_line_id", "erp", "order_lines"),
    ("erp", "payments", "invoice_id", "erp", "invoices"),
)

Company = tuple[Path, CompanyTruth]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    return folder, write_company(folder, scale=SCALE)


def tables(truth: CompanyTruth) -> list[tuple[str, str]]:
    return [(name.split("/")[0], name.split("/")[1]) for name in truth.expected_rows]


def amount(value: object) -> Decimal:
    return Decimal(str(value or 0))


def planted_keys(truth: CompanyTruth) -> set[str]:
    return {fault.document_key for fault in truth.row_faults}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_company(tmp_path / name, scale=0.1)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_seed_gives_another_company(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_company(tmp_path / str(seed), seed=seed, scale=0.1)
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert one["erp/customers.csv"] != two["erp/customers.csv"]


@pytest.mark.parametrize("seed", range(1, 9))
def test_every_seed_can_carry_all_kinds_of_difference(seed: int, tmp_path: Path) -> None:
    truth = write_company(tmp_path, seed=seed, scale=0.1)
    planted = {difference.cause for difference in truth.order_differences}
    # So small a catalogue has no item that replaces another.
    assert set(CAUSES) - planted <= {"substitution", "timing"}


def test_nothing_but_extracts_is_where_connections_read(company: Company) -> None:
    folder, truth = company
    expected = {f"{connection}/{file_name(name)}" for connection, name in tables(truth)}
    written = {name for name in contents(folder) if "/" in name}
    assert written == expected


def test_all_three_file_formats_are_shown(company: Company) -> None:
    suffixes = {name.partition(".")[2] for name in contents(company[0]) if "/" in name}
    assert suffixes == {"csv", "csv.gz", "jsonl"}


def test_the_truth_counts_the_rows_that_are_in_the_files(company: Company) -> None:
    folder, truth = company
    found = {f"{c}/{e}": len(read(folder, c, e)) for c, e in tables(truth)}
    assert found == truth.expected_rows


def test_every_canonical_entity_is_exported_with_its_own_columns_only(company: Company) -> None:
    folder, truth = company
    assert {name for _, name in tables(truth)} == {known.name for known in entities()}
    for connection, name in tables(truth):
        unknown = set(read(folder, connection, name)[0]) - set(entity(name).column_names)
        assert not unknown, f"{connection}/{name}: {unknown}"


def test_accepted_values_hold_and_required_ones_are_there(company: Company) -> None:
    folder, truth = company
    for connection, name in tables(truth):
        for column in entity(name).columns:
            values = {row.get(column.name) for row in read(folder, connection, name)}
            if column.is_required:
                assert None not in values, f"{name}.{column.name}"
            if column.accepted:
                assert values - {None} <= set(column.accepted), f"{name}.{column.name}"


def test_keys_are_unique(company: Company) -> None:
    folder, truth = company
    for connection, name in tables(truth):
        key = entity(name).key
        rows = read(folder, connection, name)
        keys = Counter(tuple(row[column] for column in key) for row in rows)
        assert keys.most_common(1)[0][1] == 1, f"{connection}/{name}"


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda r: f"{r[1]}.{r[2]}")
def test_references_lead_somewhere(
    company: Company, reference: tuple[str, str, str, str, str]
) -> None:
    folder, _ = company
    connection, name, column, other_connection, other = reference
    key = entity(other).key[0]
    known = {row[key] for row in read(folder, other_connection, other)}
    used = {row[column] for row in read(folder, connection, name)} - {None}
    assert used
    assert used <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_headers_are_the_sum_of_their_lines(company: Company, document: str) -> None:
    folder, truth = company
    connection, headers, lines, key = DOCUMENTS[document]
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in read(folder, connection, lines):
        if row[key] not in planted_keys(truth):
            sums[row[key]] += amount(row["net_amount"])
    column = "amount" if document == "opportunity" else "net_amount"
    found = {
        row[key]: amount(row[column])
        for row in read(folder, connection, headers)
        if row[key] not in planted_keys(truth)
    }
    assert sums == found


@pytest.mark.parametrize("name", ["orders", "invoices"])
def test_gross_is_net_and_tax_and_tax_follows_the_lines(company: Company, name: str) -> None:
    folder, _ = company
    _, headers, lines, key = DOCUMENTS[name[:-1]]
    taxes: dict[object, Decimal] = defaultdict(Decimal)
    for row in read(folder, "erp", lines):
        taxes[row[key]] += amount(row["tax_amount"])
    for row in read(folder, "erp", headers):
        assert amount(row["gross_amount"]) == amount(row["net_amount"]) + amount(row["tax_amount"])
        assert amount(row["tax_amount"]) == taxes[row[key]]


def test_what_is_open_is_what_was_not_paid(company: Company) -> None:
    folder, _ = company
    paid: dict[object, Decimal] = defaultdict(Decimal)
    for row in read(folder, "erp", "payments"):
        paid[row["invoice_id"]] += amount(row["amount"])
    for row in read(folder, "erp", "invoices"):
        assert amount(row["open_amount"]) == amount(row["gross_amount"]) - paid[row["invoice_id"]]


def test_credit_notes_are_negative_and_correct_an_invoice(company: Company) -> None:
    rows = read(company[0], "erp", "invoices")
    notes = [row for row in rows if row["type"] == "credit_note"]
    assert notes
    assert all(amount(row["net_amount"]) < 0 for row in notes)
    assert all(row["corrects_invoice_id"] and row["reason"] for row in notes)


def shipped(folder: Path) -> dict[object, Decimal]:
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in read(folder, "erp", "shipment_lines"):
        sums[row["order_line_id"]] += amount(row["quantity"])
    return sums


def test_statuses_say_what_the_quantities_say(company: Company) -> None:
    folder, truth = company
    sent = shipped(folder)
    for row in read(folder, "erp", "order_lines"):
        if row["order_id"] in planted_keys(truth):
            continue
        quantity, out = amount(row["quantity"]), sent[row["order_line_id"]]
        if row["status"] in ("open", "released", "cancelled"):
            assert out == 0
        elif row["status"] == "partially_shipped":
            assert 0 < out < quantity
        else:
            assert out == quantity


def test_invoiced_orders_are_invoiced_to_the_cent(company: Company) -> None:
    folder, _ = company
    billed: dict[object, Decimal] = defaultdict(Decimal)
    for row in read(folder, "erp", "invoices"):
        if row["type"] == "invoice":
            billed[row["order_id"]] += amount(row["net_amount"])
    complete = [o for o in read(folder, "erp", "orders") if o["status"] in ("invoiced", "closed")]
    assert complete
    assert all(billed[order["order_id"]] == amount(order["net_amount"]) for order in complete)


def test_nothing_happened_after_the_export_or_before_its_cause(company: Company) -> None:
    folder, truth = company
    for connection, name in tables(truth):
        for row in read(folder, connection, name):
            created = datetime.fromisoformat(str(row["created_at"]))
            modified = datetime.fromisoformat(str(row["modified_at"]))
            assert created <= modified, f"{name} {row}"
            assert modified.date() <= truth.as_of, f"{name} {row}"
    ordered = {row["order_id"]: row["order_date"] for row in read(folder, "erp", "orders")}
    for row in read(folder, "erp", "invoices"):
        assert str(row["invoice_date"]) >= str(ordered[row["order_id"]])


def test_every_currency_has_a_rate_on_every_day_of_an_order(company: Company) -> None:
    folder, truth = company
    rates = {(row["currency"], row["rate_date"]) for row in read(folder, "erp", "fx_rates")}
    for row in read(folder, "erp", "orders"):
        if row["currency"] != "EUR" and row["order_id"] not in planted_keys(truth):
            assert (row["currency"], row["order_date"]) in rates


def test_planted_row_faults_are_in_the_files(company: Company) -> None:
    folder, truth = company
    by_rule = {fault.rule: fault for fault in truth.row_faults}
    lines = {row["order_line_id"]: row for row in read(folder, "erp", "order_lines")}
    assert str(lines[by_rule["quantity_is_readable"].key]["quantity"]).endswith(" pcs")
    orders = {row["order_id"]: row for row in read(folder, "erp", "orders")}
    assert orders[by_rule["currency_is_known"].key]["currency"] == "XQQ"
    invoices = {row["invoice_id"] for row in read(folder, "erp", "invoices")}
    invoice_lines = {row["invoice_line_id"] for row in read(folder, "erp", "invoice_lines")}
    assert by_rule["header_is_present"].key in invoice_lines
    assert by_rule["header_is_present"].document_key not in invoices


def test_all_other_quantities_and_currencies_are_readable(company: Company) -> None:
    folder, truth = company
    for row in read(folder, "erp", "order_lines"):
        if row["order_id"] not in planted_keys(truth):
            assert amount(row["quantity"]) > 0
    known = {"EUR", "SEK", "NOK", "DKK", "GBP", "USD", "JPY", "PLN"}
    used = {row["currency"] for row in read(folder, "erp", "orders")}
    assert used == known | {"XQQ"}


def test_customer_truth_joins_existing_records(company: Company) -> None:
    folder, truth = company
    keys = {
        "crm": {row["account_id"] for row in read(folder, "crm", "accounts")},
        "erp": {row["customer_id"] for row in read(folder, "erp", "customers")},
    }
    assert all(pair.left_key in keys[pair.left_source] for pair in truth.customer_pairs)
    assert all(pair.right_key in keys[pair.right_source] for pair in truth.customer_pairs)
    assert any(pair.link == "duplicate" for pair in truth.customer_pairs)
    lines = (folder / "truth_customers.csv").read_text().splitlines()
    assert lines[0] == "left_source,left_key,right_source,right_key"
    assert len(lines) == len(truth.customer_pairs) + 1


def test_every_kind_of_link_is_in_the_records_it_joins(company: Company) -> None:
    folder, truth = company
    accounts = {row["account_id"]: row for row in read(folder, "crm", "accounts")}
    customers = {row["customer_id"]: row for row in read(folder, "erp", "customers")}
    seen = set()
    for pair in (pair for pair in truth.customer_pairs if pair.link != "duplicate"):
        seen.add(pair.link)
        account, customer = accounts[pair.left_key], customers[pair.right_key]
        given = {
            "erp_customer_id": account["erp_customer_id"] == pair.right_key,
            "crm_account_id": customer["crm_account_id"] == pair.left_key,
            "tax_id": account["tax_id"] == customer["tax_id"],
            "registration_id": account["registration_id"] == customer["registration_id"],
        }
        assert {link for link, is_given in given.items() if is_given} == {pair.link} - {"name"}
    assert seen == {"erp_customer_id", "crm_account_id", "tax_id", "registration_id", "name"}


def reconciled(folder: Path, truth: CompanyTruth) -> Counter[tuple[str, object, object]]:
    """Compare the two systems line by line, without looking at the truth."""
    sales = {row["order_number"]: row for row in read(folder, "crm", "sales_orders")}
    crm = {
        (row["sales_order_id"], row["line_number"]): row
        for row in read(folder, "crm", "sales_order_lines")
    }
    held = planted_keys(truth)
    orders = [row for row in read(folder, "erp", "orders") if row["order_id"] not in held]
    erp: dict[object, list[Row]] = defaultdict(list)
    for row in read(folder, "erp", "order_lines"):
        erp[row["order_id"]].append(row)  # type: ignore[arg-type]
    found: Counter[tuple[str, object, object]] = Counter()
    seen: set[object] = set()
    for order in orders:
        reference = order["external_reference"]
        if reference not in sales:
            found["missing_in_crm", order["order_id"], None] += 1
        elif reference in seen:
            found["duplicate", order["order_id"], None] += 1
        else:
            sale = sales[reference]
            seen.add(reference)
            found.update(_causes(sale, order, crm, erp[order["order_id"]]))
    found.update(("missing_in_erp", None, number) for number in sales.keys() - seen)
    return found


def _causes(
    sale: dict[str, object],
    order: dict[str, object],
    crm: dict[tuple[object, object], dict[str, object]],
    lines: list[Row],
) -> list[tuple[str, object, object]]:
    if (order["status"] == "cancelled") != (sale["status"] == "cancelled"):
        return [("cancelled", order["order_id"], None)]
    if order["currency"] != sale["currency"]:
        return [("currency", order["order_id"], None)]
    causes: list[tuple[str, object, object]] = []
    if str(order["order_date"])[:7] != str(sale["order_date"])[:7]:
        causes.append(("timing", order["order_id"], None))
    for line in lines:
        other = crm[sale["sales_order_id"], line["line_number"]]
        differing = _differing(other, line)
        causes += [(cause, order["order_id"], line["line_number"]) for cause in differing]
    return causes


def _differing(crm: dict[str, object], erp: Row) -> list[str]:
    for name, cause in (("product_number", "substitution"), ("unit", "unit")):
        if crm[name] != erp[name]:
            return [cause]
    columns = {"unit_price": "price", "quantity": "quantity", "discount_pct": "discount"}
    differing = [cause for name, cause in columns.items() if crm[name] != erp[name]]
    if not differing and crm["net_amount"] != erp["net_amount"]:
        with_tax = amount(erp["net_amount"]) + amount(erp["tax_amount"])
        return ["tax" if amount(crm["net_amount"]) == with_tax else "rounding"]
    return differing


def identified(difference: OrderDifference) -> tuple[str, object, object]:
    if difference.cause == "missing_in_erp":
        return difference.cause, None, difference.crm_order_number
    return difference.cause, difference.order_number, difference.line_number


def test_the_planted_differences_are_there_and_no_others(company: Company) -> None:
    folder, truth = company
    assert reconciled(folder, truth) == Counter(map(identified, truth.order_differences))


def test_differences_are_the_crm_less_the_erp_and_never_nothing(company: Company) -> None:
    for known in company[1].order_differences:
        assert known.difference_amount == known.crm_net_amount - known.erp_net_amount
        assert (known.difference_amount != 0) == (known.cause != "timing")


def test_names_carry_the_letters_of_many_countries(company: Company) -> None:
    names = "".join(str(row["name"]) for row in read(company[0], "erp", "customers"))
    assert {"ö", "ø", "é"} <= set(names)


def test_the_day_of_the_export_can_be_chosen(tmp_path: Path) -> None:
    truth = write_company(tmp_path, scale=0.05, as_of=date(2024, 2, 29))
    days = [str(row["order_date"]) for row in read(tmp_path, "erp", "orders")]
    assert truth.as_of == date(2024, 2, 29)
    assert max(days) <= "2024-02-29"
