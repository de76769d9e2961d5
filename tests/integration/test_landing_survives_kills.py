"""A loader killed anywhere, run again, leaves exactly what an undisturbed one leaves."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.landing import land, query

LINES = 30_000
KILLS = 20
LOADER = """
import sys
from flows.landing import land_connection
from flows.sources.connections import ConnectionConfig
print("ready", flush=True)
land_connection(ConnectionConfig(sys.argv[2], "files", {"path": sys.argv[1]}), run_id=None)
print("done", flush=True)
"""
CONTENT = """
select count(*), md5(string_agg(payload::text, chr(10) order by raw_id)) from raw_{}.{}
"""
UNBALANCED = """
select count(*) from ops.batches
full join ops.census using (batch_id)
full join ops.cursors using (batch_id)
where batches.batch_id is null or census.batch_id is null or cursors.batch_id is null
    or not is_equal
"""


def write_extract(folder: Path) -> None:
    folder.mkdir()
    with (folder / "orders.jsonl").open("w") as file:
        file.writelines(f'{{"order_id": "O{n}", "net_amount": {n}.10}}\n' for n in range(LINES))
    with (folder / "invoices.csv").open("w") as file:
        file.write("invoice_id,net_amount,status\n")
        file.writelines(f'I{n},{n}.20,"open{n % 7}"\n' for n in range(LINES // 3))
        file.write("one field\n")


def content(name: str) -> list[tuple[object, ...]]:
    return [query(CONTENT.format(name, one))[0] for one in ("orders", "invoices")]


def start_loader(folder: Path, name: str) -> subprocess.Popen[str]:
    loader = subprocess.Popen(
        [sys.executable, "-c", LOADER, str(folder), name], stdout=subprocess.PIPE, text=True
    )
    assert loader.stdout is not None
    assert loader.stdout.readline() == "ready\n"
    return loader


def undisturbed_seconds(folder: Path) -> float:
    loader = start_loader(folder, "undisturbed")
    started = time.monotonic()
    assert loader.wait() == 0
    return time.monotonic() - started


@pytest.mark.usefixtures("warehouse")
def test_a_loader_killed_at_many_points_and_run_again_lands_every_row_once(tmp_path: Path) -> None:
    folder = tmp_path / "extract"
    write_extract(folder)
    seconds = undisturbed_seconds(folder)
    expected = content("undisturbed")
    killed_before_the_end = 0
    for attempt in range(KILLS):
        name = f"killed_{attempt}"
        loader = start_loader(folder, name)
        time.sleep(seconds * (attempt + 0.5) / KILLS)
        loader.kill()
        killed_before_the_end += loader.wait() != 0
        land(folder, name)
        assert content(name) == expected
        assert query(UNBALANCED) == [(0,)]
        counts = (
            "select object, landed_count, rejected_count from ops.batches where connection = %s"
        )
        assert sorted(query(counts, name)) == [("invoices", LINES // 3, 1), ("orders", LINES, 0)]
    assert killed_before_the_end >= KILLS // 2
