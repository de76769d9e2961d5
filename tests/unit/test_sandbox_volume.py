import csv
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from flows.core.canonical import entity
from flows.sandbox.volume import write_volume, write_volume_change

ORDER_LINES = 2_000


def write_small(folder: Path, file_format: str = "jsonl", *, seed: int = 7) -> dict[str, int]:
    return write_volume(
        folder, order_lines=ORDER_LINES, customers=50, products=30, seed=seed,
        file_format=file_format, invoices=True, sales=True,
    ).rows  # fmt: skip


def read(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as source:
            return [dict(row) for row in csv.DictReader(source)]
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal) for line in lines]


def files(folder: Path) -> dict[str, Path]:
    return {f"{path.parent.name}/{path.stem}": path for path in folder.glob("*/*")}


@pytest.mark.parametrize("file_format", ["jsonl", "csv"])
def test_the_counts_are_the_rows_written(file_format: str, tmp_path: Path) -> None:
    rows = write_small(tmp_path, file_format)
    assert {table: len(read(path)) for table, path in files(tmp_path).items()} == rows
    assert rows["erp/order_lines"] == ORDER_LINES
    assert rows["erp/orders"] == 600


@pytest.mark.parametrize("file_format", ["jsonl", "csv"])
def test_columns_are_canonical_and_keys_unique(file_format: str, tmp_path: Path) -> None:
    write_small(tmp_path, file_format)
    for table, path in files(tmp_path).items():
        known = entity(table.partition("/")[2])
        rows = read(path)
        assert set(rows[0]) <= set(known.column_names)
        assert len({tuple(str(row[name]) for name in known.key) for row in rows}) == len(rows)


def test_order_lines_have_sixteen_fields(tmp_path: Path) -> None:
    write_small(tmp_path)
    assert len(read(tmp_path / "erp" / "order_lines.jsonl")[0]) == 16


def test_both_formats_say_the_same(tmp_path: Path) -> None:
    for file_format in ("jsonl", "csv"):
        write_small(tmp_path / file_format, file_format)
    for name in ("orders", "customers", "order_lines"):
        lines = read(tmp_path / "jsonl" / "erp" / f"{name}.jsonl")
        spelled = [{k: spell(v) for k, v in row.items()} for row in lines]
        assert spelled == read(tmp_path / "csv" / "erp" / f"{name}.csv")


def spell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


@pytest.mark.parametrize(("headers", "lines"), [("order", "order"), ("invoice", "invoice")])
def test_headers_are_the_sum_of_their_lines_before_and_after_a_change(
    headers: str, lines: str, tmp_path: Path
) -> None:
    write_small(tmp_path)
    if headers == "order":
        write_volume_change(tmp_path, share=0.1)
    sums: dict[object, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in read(tmp_path / "erp" / f"{lines}_lines.jsonl"):
        sums[row[f"{lines}_id"]][0] += Decimal(str(row["net_amount"]))
        sums[row[f"{lines}_id"]][1] += Decimal(str(row["tax_amount"]))
    for row in read(tmp_path / "erp" / f"{headers}s.jsonl"):
        net, tax = sums.pop(row[f"{headers}_id"])
        assert (row["net_amount"], row["tax_amount"]) == (net, tax)
        assert row["gross_amount"] == net + tax
    assert not sums


def test_the_crm_knows_most_orders_and_some_of_them_otherwise(tmp_path: Path) -> None:
    write_small(tmp_path)
    orders = {row["order_id"]: row for row in read(tmp_path / "erp" / "orders.jsonl")}
    sales = {row["erp_order_number"]: row for row in read(tmp_path / "crm" / "sales_orders.jsonl")}
    differing = [
        key for key, row in sales.items() if row["net_amount"] != orders[key]["net_amount"]
    ]
    assert len(orders) - 30 < len(sales) < len(orders)
    assert 0 < len(differing) < 40
    sums: dict[object, Decimal] = defaultdict(Decimal)
    for row in read(tmp_path / "crm" / "sales_order_lines.jsonl"):
        sums[row["sales_order_id"]] += Decimal(str(row["net_amount"]))
    assert sums == {row["sales_order_id"]: row["net_amount"] for row in sales.values()}


def test_a_change_is_larger_newer_and_only_its_share(tmp_path: Path) -> None:
    write_small(tmp_path)
    before = {row["order_line_id"]: row for row in read(tmp_path / "erp" / "order_lines.jsonl")}
    newest = max(str(row["modified_at"]) for row in before.values())
    counts = write_volume_change(tmp_path, share=0.1).rows
    assert 30 <= counts["erp/orders"] <= 90
    changed = read(tmp_path / "erp" / "order_lines.jsonl")
    assert len(changed) == counts["erp/order_lines"]
    for row in changed:
        old = before[row["order_line_id"]]
        assert row["quantity"] == int(str(old["quantity"])) + 1
        assert str(row["modified_at"]) > newest
        assert row["created_at"] == old["created_at"]


def test_modified_at_never_goes_back(tmp_path: Path) -> None:
    write_small(tmp_path)
    times = [str(row["modified_at"]) for row in read(tmp_path / "erp" / "orders.jsonl")]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


def test_every_order_has_its_customer_product_and_rate(tmp_path: Path) -> None:
    write_small(tmp_path)
    erp = tmp_path / "erp"
    customers = {row["customer_id"] for row in read(erp / "customers.jsonl")}
    products = {row["product_number"] for row in read(erp / "products.jsonl")}
    rates = {(row["currency"], row["rate_date"]) for row in read(erp / "fx_rates.jsonl")}
    for row in read(erp / "orders.jsonl"):
        assert row["customer_id"] in customers
        assert row["currency"] == "EUR" or (row["currency"], row["order_date"]) in rates
    assert {row["product_number"] for row in read(erp / "order_lines.jsonl")} <= products
    accounts = {row["erp_customer_id"] for row in read(tmp_path / "crm" / "accounts.jsonl")}
    assert accounts == customers


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        write_small(tmp_path / name, seed=seed)
    one, same, other = (
        (tmp_path / name / "erp" / "orders.jsonl").read_bytes() for name in ("one", "same", "other")
    )
    assert one == same
    assert one != other
