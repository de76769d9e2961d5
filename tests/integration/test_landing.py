"""Landing files into raw: what arrives, what is left alone, what is recorded about it."""

import gzip
import json
import os
import threading
from pathlib import Path

import duckdb
import pytest

from flows.core.errors import SourceFileError, UnbalancedError
from flows.landing.rejects import RejectWriter
from tests.integration.landing import land, land_one, query, raw

pytestmark = pytest.mark.usefixtures("warehouse")

ORDERS = b"order_id,net_amount\nO1,10.50\nO2,\n"
JSON_ORDERS = b'{"order_id": "O1", "net_amount": 10.50}\n{"order_id": "O2"}\n'


def test_csv_and_json_lines_land_as_received_with_balanced_accounts(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(ORDERS)
    (tmp_path / "invoices.jsonl").write_bytes(b'{"invoice_id": "I1", "net_amount": 1.10}\n')
    invoices, orders = land(tmp_path)
    assert (invoices.object, orders.object) == ("invoices", "orders")
    assert (orders.extracted, orders.landed, orders.rejected) == (2, 2, 0)
    assert raw("orders") == [
        {"order_id": "O1", "net_amount": "10.50"},
        {"order_id": "O2", "net_amount": None},
    ]
    assert query("select payload::text from raw_erp.invoices") == [
        ('{"invoice_id": "I1", "net_amount": 1.10}',)
    ]
    assert query("select is_equal, source_count from ops.census order by batch_id") == [
        (True, 1),
        (True, 2),
    ]
    assert query("select file, status, columns from ops.batches where object = 'orders'") == [
        ("orders.csv", "landed", ["order_id", "net_amount"])
    ]
    assert query("select net_amount from raw.orders order by order_id") == [("10.50",), (None,)]
    assert query("select kind from ops.connections where connection = 'erp'") == [("erp",)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("orders.csv.gz", gzip.compress(ORDERS, mtime=0)),
        (
            "orders.csv.gz",
            gzip.compress(ORDERS[:25], mtime=0) + gzip.compress(ORDERS[25:], mtime=0),
        ),
        ("orders.jsonl.gz", gzip.compress(JSON_ORDERS, mtime=0)),
        ("ORDERS.JSONL", JSON_ORDERS),
    ],
)
def test_packed_files_land_like_plain_ones(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert land_one(tmp_path).landed == 2
    assert [row["order_id"] for row in raw("orders")] == ["O1", "O2"]


@pytest.mark.parametrize("name", ["orders.jsonl", "orders.csv"])
def test_backslashes_land_as_they_were_delivered(tmp_path: Path, name: str) -> None:
    value = 'C:\\new\\table \\. \\N "quoted" \t end\\'
    line = json.dumps({"order_id": value})
    table = 'order_id\n"' + value.replace('"', '""') + '"\n'
    (tmp_path / name).write_text(f"{line}\n" if name.endswith("l") else table, encoding="utf-8")
    assert land_one(tmp_path).landed == 1
    assert raw("orders") == [{"order_id": value}]
    if name.endswith("l"):
        assert query("select payload::text from raw_erp.orders") == [(line,)]


def test_parquet_keeps_decimals_exact_and_moments_with_their_offset(tmp_path: Path) -> None:
    with duckdb.connect() as database:
        database.execute("set TimeZone = 'UTC'")
        database.execute(
            "copy (select 'O' || i as order_id, (i / 3)::decimal(20, 4) as net_amount,"
            " date '2026-11-23' as order_date, timestamp '2026-11-23 10:00:00.25' as requested,"
            " make_timestamptz(1767225600000000) as modified_at, i > 1 as is_deleted,"
            " null::varchar as status, 'a\"b\nc' as reference, 'nan'::double as odd"
            f" from range(1, 4501) as t(i)) to '{tmp_path / 'orders.parquet'}' (format parquet)"
        )
    assert land_one(tmp_path).landed == 4500
    expected = (
        '{"order_id":"O1","net_amount":0.3333,"order_date":"2026-11-23",'
        '"requested":"2026-11-23T10:00:00.250000",'
        '"modified_at":"2026-01-01T00:00:00+00:00","is_deleted":false,"status":null,'
        '"reference":"a\\"b\\nc","odd":"nan"}'
    )
    assert query("select payload::text from raw_erp.orders order by raw_id limit 1") == [
        (expected,)
    ]


def test_a_file_already_landed_is_not_landed_twice(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(JSON_ORDERS)
    first, second = land_one(tmp_path), land_one(tmp_path)
    assert (first.unchanged, second.unchanged) == (False, True)
    assert second.batch_id == first.batch_id
    assert len(raw("orders")) == 2


def test_a_file_written_anew_with_the_same_content_is_not_landed_twice(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_bytes(JSON_ORDERS)
    land_one(tmp_path)
    os.utime(file, ns=(1, 1))
    assert land_one(tmp_path).unchanged
    assert query("select count(*) from ops.batches") == [(1,)]
    stored = query("select value #>> '{state,files,0,mtime_ns}' from ops.cursors")
    assert stored == [("1",)]


def test_a_changed_file_under_the_same_name_is_landed_again(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_bytes(JSON_ORDERS)
    land_one(tmp_path)
    before = file.stat()
    file.write_bytes(JSON_ORDERS.replace(b"O2", b"O3"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not land_one(tmp_path).unchanged
    assert [row["order_id"] for row in raw("orders")] == ["O1", "O2", "O1", "O3"]


def test_full_lands_again_what_has_not_changed(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(JSON_ORDERS)
    land_one(tmp_path)
    assert not land_one(tmp_path, full=True).unchanged
    assert len(raw("orders")) == 4


def test_only_the_objects_asked_for_are_landed(tmp_path: Path) -> None:
    for name in ("orders", "invoices"):
        (tmp_path / f"{name}.jsonl").write_bytes(JSON_ORDERS)
    assert [batch.object for batch in land(tmp_path, objects=["invoices"])] == ["invoices"]
    with pytest.raises(SourceFileError, match="has no payments; it has invoices, orders"):
        land(tmp_path, objects=["payments"])


def test_a_folder_that_is_missing_or_empty_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceFileError, match="is no folder"):
        land(tmp_path / "missing")
    with pytest.raises(SourceFileError, match="holds no file"):
        land(tmp_path)


def test_progress_names_the_object_and_ends_at_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(JSON_ORDERS * 20_000)
    seen: list[tuple[str, int, int, int]] = []
    land_one(tmp_path, progress=lambda *shown: seen.append(shown))
    size = len(JSON_ORDERS) * 20_000
    assert seen[-1] == ("orders", 40_000, size, size)
    assert len(seen) > 1


def test_columns_that_come_go_and_change_type_are_recorded(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_bytes(b'{"order_id": "O1", "net_amount": 1.5, "colour": "red", "status": null}\n')
    first = land_one(tmp_path)
    assert [(one.column, one.change) for one in first.drift] == [("colour", "unknown")]
    file.write_bytes(b'{"order_id": "O1", "net_amount": "free", "size": 1, "status": "open"}\n')
    second = land_one(tmp_path)
    assert [(one.column, one.change, one.detail) for one in second.drift] == [
        ("size", "new", None),
        ("colour", "missing", None),
        ("net_amount", "retyped", "number before, text now"),
    ]
    assert query("select column_name, change from ops.drift order by drift_id") == [
        ("colour", "unknown"),
        ("size", "new"),
        ("colour", "missing"),
        ("net_amount", "retyped"),
    ]


def test_a_csv_column_of_dates_that_is_no_longer_one_is_retyped(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(b"order_id,order_date\nO1,2026-11-23\n")
    land_one(tmp_path)
    file.write_bytes(b"order_id,order_date\nO1,\n")
    assert land_one(tmp_path).drift == ()
    file.write_bytes(b"order_id,order_date\nO1,23.11.2026 or so\n")
    assert [one.detail for one in land_one(tmp_path).drift] == ["date before, text now"]


def test_rows_that_vanish_on_the_way_roll_the_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orders.csv").write_bytes(ORDERS + b"bad\n")
    monkeypatch.setattr(RejectWriter, "flush", lambda _: None)
    with pytest.raises(UnbalancedError, match="holds 3 records, but 2 landed and 0 were rejected"):
        land(tmp_path)
    assert query("select count(*) from ops.batches") == [(0,)]
    assert query("select to_regclass('raw_erp.orders')") == [(None,)]


def test_of_two_loaders_at_once_one_waits_and_finds_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "orders.jsonl").write_bytes(JSON_ORDERS * 20_000)
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(land_one(tmp_path).unchanged))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True, True]
    assert query("select count(*) from raw_erp.orders") == [(40_000,)]
