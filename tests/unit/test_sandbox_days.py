from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from flows.sandbox.company import (
    write_company,
    write_day_of_changes,
    write_refused_batch,
    write_repair,
)
from flows.sandbox.extract import file_name, read
from flows.sandbox.truth import CompanyTruth, DayTruth

Rows = dict[str, dict[str, dict[str, object]]]
Days = tuple[Rows, Rows, CompanyTruth, DayTruth]


def rows_by_key(folder: Path) -> Rows:
    """Read every file, its rows by their first column."""
    found: Rows = {}
    for path in folder.glob("*/*"):
        connection, name = path.parent.name, path.name.partition(".")[0]
        rows = read(folder, connection, name)
        if name == "fx_rates":
            keyed = {f"{row['currency']}|{row['rate_date']}": row for row in rows}
        else:
            keyed = {str(next(iter(row.values()))): row for row in rows}
        assert len(keyed) == len(rows)
        found[f"{connection}/{name}"] = keyed
    return found


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    first = tmp_path_factory.mktemp("first")
    truth = write_company(first, scale=0.25)
    before = rows_by_key(first)
    # Elsewhere, so that only the files of the delta are there.
    second = tmp_path_factory.mktemp("second")
    known = write_day_of_changes(second, truth)
    return before, rows_by_key(second), truth, known


def amount(value: object) -> Decimal:
    return Decimal(str(value or 0))


def happened(before: Rows, delta: Rows) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for table, rows in delta.items():
        for key, row in rows.items():
            old = before[table].get(key)
            if old is None:
                counts["new"][table] += 1
            elif str(row["modified_at"]) < str(old["modified_at"]):
                counts["late"][table] += 1
            elif row["is_deleted"] in (True, "true"):
                counts["deleted"][table] += 1
            else:
                counts["changed"][table] += 1
    return {kind: dict(count) for kind, count in counts.items()}


def test_the_delta_holds_what_the_truth_says_and_nothing_else(days: Days) -> None:
    before, delta, _, known = days
    expected = {"new": known.new, "changed": known.changed, "deleted": known.deleted}
    assert happened(before, delta) == {**expected, "late": known.late}


def test_every_row_of_the_delta_differs_from_what_was_there(days: Days) -> None:
    before, delta, _, _ = days
    for table, rows in delta.items():
        assert not [key for key, row in rows.items() if row == before[table].get(key)]


def test_the_delta_has_the_columns_that_the_first_extract_had(days: Days) -> None:
    before, delta, _, _ = days
    for table, rows in delta.items():
        columns = {tuple(row) for row in rows.values()}
        assert columns == {tuple(next(iter(before[table].values())))}


def test_changed_rows_are_newer_than_everything_before(days: Days) -> None:
    _, delta, truth, known = days
    for table, rows in delta.items():
        for key, row in rows.items():
            is_late = table == "erp/customers" and key in known.late_keys
            is_sale_of_repair = str(row.get("sales_order_id")).endswith("800001")
            if not is_late and not is_sale_of_repair:
                assert str(row["modified_at"])[:10] > truth.as_of.isoformat()


def test_the_state_after_the_day_is_consistent_and_the_same_in_both_systems(days: Days) -> None:
    before, delta, truth, _ = days
    after = {table: {**rows, **delta.get(table, {})} for table, rows in before.items()}
    held = {fault.document_key for fault in truth.row_faults[1:]}
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in after["erp/order_lines"].values():
        sums[row["order_id"]] += amount(row["net_amount"])
    orders = after["erp/orders"].values()
    assert {str(o["order_id"]): amount(o["net_amount"]) for o in orders} == sums
    sales = {row["order_number"]: row for row in after["crm/sales_orders"].values()}
    touched = delta["erp/orders"].values()
    for order in (row for row in touched if row["order_id"] not in held):
        assert sales[order["external_reference"]]["net_amount"] == order["net_amount"]


def test_payments_of_the_day_close_their_invoices(days: Days) -> None:
    before, delta, _, _ = days
    assert delta["erp/payments"]
    for payment in delta["erp/payments"].values():
        invoice = str(payment["invoice_id"])
        assert amount(before["erp/invoices"][invoice]["open_amount"]) == amount(payment["amount"])
        assert amount(delta["erp/invoices"][invoice]["open_amount"]) == 0


def test_the_order_that_could_not_be_read_comes_again_whole_and_readable(days: Days) -> None:
    before, delta, truth, known = days
    key = known.repaired_order
    assert key == truth.row_faults[0].document_key
    old = {k for k, row in before["erp/order_lines"].items() if row["order_id"] == key}
    new = {k: row for k, row in delta["erp/order_lines"].items() if row["order_id"] == key}
    assert old == set(new)
    assert all(amount(row["quantity"]) > 0 for row in new.values())
    assert key in delta["erp/orders"]


def test_the_merge_the_renaming_and_the_move_are_in_the_delta(days: Days) -> None:
    before, delta, _, known = days
    kept, gone = known.merged_accounts
    assert delta["crm/accounts"][gone]["merged_into_id"] == kept
    name = str(delta["erp/customers"][known.renamed_customer]["name"])
    assert name == f"Nova {before['erp/customers'][known.renamed_customer]['name']}"
    assert delta["erp/addresses"][f"{known.moved_customer}-B"]["street"] == "New Harbour 1"


def test_the_expected_counts_follow_from_the_files(days: Days) -> None:
    before, delta, truth, known = days
    for table, rows in before.items():
        keys = rows.keys() | delta.get(table, {}).keys()
        held = known.expected_quarantined.get(table, 0)
        assert known.expected_staged[table] == len(keys) - held
    assert truth.expected_staged["erp/orders"] == len(before["erp/orders"]) - 2


def test_two_days_do_not_reuse_keys(days: Days, tmp_path: Path) -> None:
    _, delta, truth, known = days
    second = write_day_of_changes(tmp_path, truth, day=2)
    orders = rows_by_key(tmp_path)["erp/orders"]
    assert second.new["erp/orders"] == known.new["erp/orders"]
    assert {key for key in orders if key.startswith("SO502")}
    assert not {key for key in delta["erp/orders"] if key.startswith("SO502")}


@pytest.mark.parametrize("seed", range(1, 7))
def test_small_companies_have_a_day_of_changes_as_well(seed: int, tmp_path: Path) -> None:
    truth = write_company(tmp_path, seed=seed, scale=0.1)
    known = write_day_of_changes(tmp_path, truth)
    assert known.new["erp/orders"] >= 1
    assert known.deleted == {"crm/contacts": 2, "crm/leads": 1}


def test_most_lines_of_the_refused_batch_cannot_be_read(tmp_path: Path) -> None:
    truth = write_company(tmp_path, scale=0.2)
    known = write_refused_batch(tmp_path, truth)
    lines = read(tmp_path, "erp", "order_lines")
    unreadable = [row for row in lines if "," in str(row["quantity"])]
    assert known.is_refused
    assert len(lines) == known.file_rows["erp/order_lines"]
    assert len(lines) / 3 < len(unreadable) < len(lines)
    assert all(str(row["net_amount"])[-3] == "," for row in unreadable)


def test_the_readable_lines_of_the_refused_batch_do_not_sum_to_their_headers(
    tmp_path: Path,
) -> None:
    write_refused_batch(tmp_path, write_company(tmp_path, scale=0.2))
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in read(tmp_path, "erp", "order_lines"):
        if "," not in str(row["quantity"]):
            sums[row["order_id"]] += amount(row["net_amount"])
    headers = {
        row["order_id"]: amount(row["net_amount"]) for row in read(tmp_path, "erp", "orders")
    }
    assert sums
    assert all(lines == headers[order_id] * 100 for order_id, lines in sums.items())


def test_the_repair_has_the_same_keys_and_times_and_right_numbers(tmp_path: Path) -> None:
    truth = write_company(tmp_path, scale=0.2)
    refused = write_refused_batch(tmp_path, truth)
    spoilt = rows_by_key(tmp_path)["erp/order_lines"]
    repair = write_repair(tmp_path, truth)
    lines = rows_by_key(tmp_path)["erp/order_lines"]
    assert repair.order_ids == refused.order_ids
    assert {k: r["modified_at"] for k, r in lines.items()} == {
        k: r["modified_at"] for k, r in spoilt.items()
    }
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in lines.values():
        sums[row["order_id"]] += amount(row["net_amount"])
    orders = read(tmp_path, "erp", "orders")
    assert {row["order_id"]: amount(row["net_amount"]) for row in orders} == sums


def test_only_the_order_files_differ_between_refused_batch_and_repair(tmp_path: Path) -> None:
    truth = write_company(tmp_path, scale=0.2)
    write_refused_batch(tmp_path, truth)
    refused = {path: path.read_bytes() for path in tmp_path.glob("*/*")}
    write_repair(tmp_path, truth)
    changed = {path.name for path, content in refused.items() if path.read_bytes() != content}
    assert changed == {file_name("order_lines")}
