"""Readers at work never fail, never wait long and never see two publications at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter, sleep

import psycopg
import pytest

from flows.core.errors import TransientError
from flows.publishing import begin_build, finish_build, publish
from tests.fixtures.marts import CATALOGUE, build, build_and_publish, rows, run, start_run

FLIPS = 50
JOINED = """
    select array_agg(distinct v) from (
        select o.version as v from marts.orders as o
        union all select c.version from marts.customers as c
    ) as versions
"""
REVERSED = """
    select array_agg(distinct v) from (
        select c.version as v from marts.customers as c
        union all select o.version from own_orders as o
    ) as versions
"""


class Reader(threading.Thread):
    """Reads in a loop and remembers every set of versions it saw at once."""

    def __init__(self, url: str, look: Callable[[psycopg.Connection], set[int]]) -> None:
        super().__init__(daemon=True)
        self.url, self.look = url, look
        self.seen: list[set[int]] = []
        self.longest = 0.0
        self.error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                while not self.done.is_set():
                    started = perf_counter()
                    self.seen.append(self.look(connection))
                    self.longest = max(self.longest, perf_counter() - started)
                    sleep(0.004)
        except BaseException as error:  # noqa: BLE001 - the test asks for it after the join
            self.error = error


def one_statement(query: str) -> Callable[[psycopg.Connection], set[int]]:
    def look(connection: psycopg.Connection) -> set[int]:
        found = connection.execute(query.encode()).fetchone()
        assert found is not None
        return set(found[0])

    return look


def one_transaction(connection: psycopg.Connection) -> set[int]:
    seen: set[int] = set()
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        # The snapshot is taken here, before any mart is read.
        connection.execute("select count(*) from pg_class")
        for table in ("orders", "customers", "orders"):
            sleep(0.002)
            query = f"select distinct version from marts.{table}"
            seen |= {version for (version,) in connection.execute(query.encode())}
    return seen


@contextmanager
def reading(*readers: Reader) -> Iterator[None]:
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        for reader in readers:
            reader.done.set()
            reader.join(20)


def rewrite(slot: str) -> int:
    """Change the rows of a slot as an incremental build does, table by table."""
    run_id = start_run()
    begin_build(slot, run_id)
    for table in ("orders", "customers"):
        run(f"update marts_{slot}.{table} set version = {run_id}")
    finish_build(slot, run_id)
    return run_id


def test_readers_never_fail_and_never_see_a_mix_during_many_flips(warehouse: str) -> None:
    build_and_publish("a")
    build_and_publish("b")
    run("create view own_orders as select * from marts.orders")
    readers = [
        Reader(warehouse, one_statement(JOINED)),
        Reader(warehouse, one_statement(REVERSED)),
        Reader(warehouse, one_transaction),
    ]
    times = []
    with reading(*readers):
        for number in range(FLIPS):
            slot = "ab"[number % 2]
            run_id = rewrite(slot)
            started = perf_counter()
            publish(slot, run_id, catalogue=CATALOGUE)
            times.append(perf_counter() - started)
    assert [reader.error for reader in readers] == [None, None, None]
    for reader in readers:
        assert len(reader.seen) > FLIPS / 2
        assert {len(versions) for versions in reader.seen} == {1}
        assert reader.longest < 2
    assert len(set.union(*readers[0].seen)) > FLIPS / 2
    print(f"flips: median {sorted(times)[FLIPS // 2]:.3f} s, longest {max(times):.3f} s")  # noqa: T201 - shown with -s


def test_a_table_rebuilt_from_nothing_is_never_seen_empty_by_an_older_transaction(
    warehouse: str,
) -> None:
    build_and_publish("a")
    with psycopg.connect(warehouse) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select 1 from pg_class limit 1")
        run_id = build("b")
        with pytest.raises(TransientError, match="began before the slot was complete"):
            publish("b", run_id, catalogue=CATALOGUE, patience=0.2)
        assert reader.execute("select count(*) from marts.orders").fetchall() == [(5,)]
    assert publish("b", run_id, catalogue=CATALOGUE).slot == "b"


def test_a_query_that_holds_a_view_is_named_and_nothing_changes(warehouse: str) -> None:
    first = build_and_publish("a")
    run_id = build("b")
    with psycopg.connect(warehouse) as reader:
        reader.execute("select * from marts.orders")
        holder = f"session {reader.info.backend_pid} of {reader.info.user}"
        with pytest.raises(TransientError, match=holder):
            publish("b", run_id, catalogue=CATALOGUE, patience=0.3)
    assert rows("select slot, version from ops.publications") == [("a", first.version)]
    assert rows("select distinct version from marts.customers") == [(first.version,)]


def test_publishing_goes_on_as_soon_as_the_view_is_free(warehouse: str) -> None:
    build_and_publish("a")
    run_id = build("b")
    with psycopg.connect(warehouse) as reader:
        reader.execute("select * from marts.orders")
        threading.Timer(0.4, reader.rollback).start()
        assert publish("b", run_id, catalogue=CATALOGUE, patience=10).slot == "b"


def test_other_readers_are_not_held_up_while_publishing_waits(warehouse: str) -> None:
    build_and_publish("a")
    run_id = build("b")
    other = Reader(warehouse, one_statement(JOINED))
    with psycopg.connect(warehouse) as holder:
        holder.execute("select * from marts.orders")
        with reading(other), suppress(TransientError):
            publish("b", run_id, catalogue=CATALOGUE, patience=2)
    assert other.error is None
    assert len(other.seen) > 20
    assert other.longest < 0.5


def test_a_failed_flip_leaves_no_trace(warehouse: str) -> None:
    build_and_publish("a")
    run_id = build("b")
    before = (
        rows("select count(*) from ops.publications"),
        rows("select count(*) from ops.publication_tables"),
    )
    with psycopg.connect(warehouse) as holder:
        holder.execute("select * from marts.orders")
        with pytest.raises(TransientError):
            publish("b", run_id, catalogue=CATALOGUE, patience=0.1)
    after = (
        rows("select count(*) from ops.publications"),
        rows("select count(*) from ops.publication_tables"),
    )
    assert after == before


def test_two_publications_at_once_happen_one_after_the_other(warehouse: str) -> None:
    build_and_publish("a")
    run_id = build("b")
    failures: list[Exception] = []

    def attempt() -> None:
        try:
            publish("b", run_id, catalogue=CATALOGUE)
        except Exception as error:  # noqa: BLE001 - asserted below
            failures.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows("select count(*) from ops.publications") == [(2,)]
