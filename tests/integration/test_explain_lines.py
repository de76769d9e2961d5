"""A raw row is found again in its file, whatever stood before it there."""

from pathlib import Path

import pytest

from tests.integration.landing import land_one, query

LINES = """
    select rows.payload ->> 'order_id', lines.line
    from ops.batches as batch
    inner join raw_erp.orders as rows on rows.batch_id = batch.batch_id
    cross join lateral ops.explained_lines(batch, array[rows.raw_id]) as lines
    order by rows.raw_id
"""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "orders.csv",
            b'order_id,status\n1,open\n2,open,too many\n3,"two\nlines"\n4,"a \\ and \\n"\n5,open\n',
            [("1", 2), ("3", 4), ("4", 6), ("5", 7)],
        ),
        (
            "orders.jsonl",
            (
                b'{"order_id": "1"}\nnot json\n[1]\n{"order_id": "4", "status": "a\\nb"}\n'
                b'{"order_id": "5"}\n'
            ),
            [("1", 1), ("4", 4), ("5", 5)],
        ),
        (
            "orders.jsonl",
            b'not json\n{"order_id": "2"}\n{"order_id": "3"}\n',
            [("2", 2), ("3", 3)],
        ),
    ],
)
def test_a_raw_row_knows_its_line(
    warehouse: str, tmp_path: Path, name: str, content: bytes, expected: list[tuple[str, int]]
) -> None:
    folder = tmp_path / "erp"
    folder.mkdir()
    (folder / name).write_bytes(content)
    batch = land_one(folder)
    assert batch.landed == len(expected)
    assert query(LINES) == expected
