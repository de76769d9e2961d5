"""Records and files that cannot be landed: kept whole, with file, line and reason."""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.landing import land, land_one, query, raw

pytestmark = pytest.mark.usefixtures("warehouse")

GOOD = b'{"order_id": "good"}'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "invalid input syntax for type json"),
        (b"not json", "invalid input syntax for type json"),
        (b"[1, 2]", "the line is a JSON array, not an object"),
        (b'"text"', "the line is a JSON string, not an object"),
        (b"null", "the line is a JSON null, not an object"),
        (b'{"a": "\xff\xfe"}', "the line is not valid UTF-8"),
        (b'{"a": "x\x00y"}', "the line holds a NUL byte"),
        (b'{"a": "x\\u0000y"}', "unsupported Unicode escape sequence"),
        (b'{"a": "\\ud800"}', "invalid input syntax for type json"),
        (b'{"a": "\x01"}', "invalid input syntax for type json"),
        (b'{"a": 1} {"a": 2}', "invalid input syntax for type json"),
        (b"{" + b'"a":{' * 20_000, "stack depth limit exceeded"),
    ],
)
def test_a_bad_json_line_is_rejected_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    lines = [GOOD, b"", line, GOOD, GOOD]
    (tmp_path / "orders.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    batch = land_one(tmp_path)
    assert (batch.extracted, batch.landed, batch.rejected) == (4, 3, 1)
    ((number, found, content),) = query("select line, reason, content from ops.rejects")
    assert (number, content) == (3, line)
    assert found.startswith(reason)


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": "\\ud83d\\ude00"}',
        b'{"a": "\\\\u0000"}',
        b' {"a": 1} ',
        b'{"a": 1}\r',
        b'{"a": "back\\\\slash \\t"}',
        b'{"a": 1e999999}',
    ],
)
def test_a_line_that_only_looks_bad_lands(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "orders.jsonl").write_bytes(GOOD + b"\n" + line + b"\n")
    batch = land_one(tmp_path)
    assert (batch.landed, batch.rejected) == (2, 0)
    assert raw("orders")[1] == json.loads(line)


def test_bad_lines_anywhere_in_a_large_file_keep_their_exact_line_numbers(tmp_path: Path) -> None:
    chance = random.Random(7)
    bad = set(chance.sample(range(1, 30_001), 40))
    lines = [
        b'{"order_id": %d,' % n if n in bad else b'{"order_id": %d}' % n for n in range(1, 30_001)
    ]
    (tmp_path / "orders.jsonl").write_bytes(b"\n".join(lines))
    batch = land_one(tmp_path)
    assert (batch.landed, batch.rejected) == (29_960, 40)
    assert {row[0] for row in query("select line from ops.rejects")} == bad
    landed = [row["order_id"] for row in raw("orders")]
    assert landed == [n for n in range(1, 30_001) if n not in bad]


def test_bad_csv_records_are_kept_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(b'order_id,status\nO1,open\nO2\n"O3"x,y\nO4,"a\nb"\n')
    batch = land_one(tmp_path)
    assert (batch.extracted, batch.landed, batch.rejected) == (4, 2, 2)
    assert query("select file, line, content from ops.rejects order by line") == [
        ("orders.csv", 3, b"O2"),
        ("orders.csv", 4, b'"O3"x,y'),
    ]


def test_a_header_only_is_a_batch_of_no_rows(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(b"order_id,status\n")
    batch = land_one(tmp_path)
    assert (batch.extracted, batch.landed, batch.refusal) == (0, 0, None)
    assert query("select count(*) from raw.orders") == [(0,)]


PACKED = gzip.compress(random.Random(7).randbytes(4000).hex().encode(), mtime=0)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"orders.csv": b""}, "The file is empty"),
        ({"orders.jsonl": b""}, "The file is empty"),
        ({"orders.csv.gz": gzip.compress(b"", mtime=0)}, "The file is empty"),
        ({"orders.csv": b"a,a\n1,2\n"}, "more than once"),
        ({"orders.jsonl.gz": PACKED[:-100]}, "truncated"),
        ({"orders.jsonl.gz": b'{"order_id": 1}\n'}, "not valid gzip"),
        ({"orders.parquet": b"PAR1 no"}, "The Parquet file cannot be read"),
        ({"orders.csv": b"order_id\n1\n", "orders.jsonl": GOOD}, "Both orders.csv and"),
        ({"colours.csv": b"a,b\n1,2\n"}, "no canonical entity"),
    ],
)
def test_a_file_with_a_fault_of_the_whole_is_refused_once_and_the_others_land(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "payments.jsonl").write_bytes(b'{"payment_id": 1}\n')
    for _ in range(2):
        refused = [batch for batch in land(tmp_path) if batch.refusal]
        assert [message in str(batch.refusal) for batch in refused] == [True]
    assert query("select status, landed_count from ops.batches order by batch_id") == [
        ("rejected", 0),
        ("landed", 1),
    ]
    assert query("select file, line, content from ops.rejects") == [(", ".join(files), None, None)]
    assert query("select to_regclass('raw_erp.orders')") == [(None,)]


def test_a_refused_file_delivered_again_lands(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_bytes(GOOD)
    first = land_one(tmp_path)
    file.write_bytes(b"")
    assert land_one(tmp_path).refusal
    file.write_bytes(GOOD)
    again = land_one(tmp_path)
    assert (again.refusal, again.unchanged, again.batch_id) == (None, True, first.batch_id)
    file.write_bytes(GOOD * 1 + b"\n" + GOOD)
    assert land_one(tmp_path).landed == 2


MEASURED = """
import re, sys
from pathlib import Path
from flows.landing import land_connection
from flows.sources.connections import ConnectionConfig
land_connection(ConnectionConfig("erp", "files", {"path": sys.argv[1]}), run_id=None)
# Not ru_maxrss: a child inherits its parent's through exec.
status = Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) // 1024)
"""


@pytest.mark.parametrize(
    ("name", "head", "tail"),
    [
        ("orders.jsonl", b'{"order_id": "O1"}\n{"order_id": "', b'"}\n{"order_id": "O2"}\n'),
        ("orders.csv", b'order_id,status\nO1,open\n"', b'",open\nO2,open\n'),
    ],
)
def test_a_field_of_50_mb_is_kept_in_parts_within_150_mb_of_memory(
    tmp_path: Path, name: str, head: bytes, tail: bytes
) -> None:
    size = 50 * 1024 * 1024
    with (tmp_path / name).open("wb") as file:
        file.write(head)
        for _ in range(50):
            file.write(b"x" * (size // 50))
        file.write(tail)
    command = [sys.executable, "-c", MEASURED, str(tmp_path)]
    resident = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert int(resident) < 150
    assert [row["order_id"] for row in raw("orders")] == ["O1", "O2"]
    ((line, parts, longest, total),) = query(
        "select min(line), count(*), max(length(content)), sum(length(content)) from ops.rejects"
    )
    whole = size + len(head.split(b"\n")[-1]) + len(tail.split(b"\n")[0])
    assert (line, total) == (3 if name.endswith("csv") else 2, whole)
    assert parts > 1
    assert longest <= 8 * 1024 * 1024
