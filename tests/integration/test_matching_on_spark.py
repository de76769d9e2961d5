"""Spark makes the links that DuckDB makes; without Spark people are told what to do."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.core.errors import ConnectionsError, SettingsError
from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.identity.matching import match
from flows.identity.matching.engines import open_engine
from tests.fixtures.matching import (
    Company,
    company_domain,
    create_tables,
    put,
    small_weights,
)

HAS_PYSPARK = importlib.util.find_spec("pyspark") is not None
HAS_SPARK = HAS_PYSPARK and shutil.which("java") is not None
COMPANIES = [
    Company("1", "Fjord Seafood", phones=("+4722334455", "+4755667788")),
    Company("2", "Fjord Seafood", phones=("+4722334455", "+4755667788")),
    Company("3", 'The "Quoted", Company', city=None, postal_code="5003"),
    Company("7", "Fjord Seafoods", "erp", phones=("+4755667788",)),
    Company("8", 'The "Quoted" Company', "erp", city="bergen", postal_code="5003"),
    Company("9", "Nordic Timber", "erp", city="bergen", postal_code="5003"),
]
PAIRS = """
select left_record, right_record, round(match_weight::numeric, 6), levels
from identity.scored_pairs order by left_record, right_record
"""


@pytest.fixture(autouse=True)
def settings_read_anew() -> Iterator[None]:
    yield
    settings.cache_clear()


def asked_for_spark(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "connections.yaml"
    file.write_text("identity: {engine: spark}\nconnections: {}\n", encoding="utf-8")
    monkeypatch.setenv("CONCORD_CONNECTIONS", str(file))
    settings.cache_clear()


@pytest.mark.skipif(not HAS_SPARK, reason="needs PySpark and Java")
@pytest.mark.usefixtures("warehouse")
def test_spark_scores_as_duckdb_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect() as connection:
        create_tables(connection)
        put(connection, COMPANIES, version=1)
        connection.execute("update staging.match_policy set review_above = 0.01")
    on_duckdb = match(company_domain(), 1, weights=small_weights())
    with connect() as connection:
        expected = connection.execute(PAIRS).fetchall()
        connection.execute("truncate identity.scored_pairs")
    asked_for_spark(tmp_path, monkeypatch)
    on_spark = match(company_domain(), 2, weights=small_weights(), full=True)
    with connect() as connection:
        assert connection.execute(PAIRS).fetchall() == expected
    assert on_spark.compared_pairs == on_duckdb.compared_pairs
    assert len(expected) >= 4


@pytest.mark.skipif(HAS_PYSPARK, reason="PySpark is installed")
def test_spark_without_pyspark_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for_spark(tmp_path, monkeypatch)
    with pytest.raises(SettingsError, match=r"pip install 'pyspark"):
        open_engine(tmp_path)


def test_an_unknown_engine_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for_spark(tmp_path, monkeypatch)
    file = tmp_path / "connections.yaml"
    file.write_text("connections: {}\nidentity: {engine: flink}\n", encoding="utf-8")
    with pytest.raises(ConnectionsError, match=r"line 2: engine 'flink' .* duckdb, spark"):
        open_engine(tmp_path)


def test_records_are_matched_in_process_unless_the_file_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for_spark(tmp_path, monkeypatch)
    (tmp_path / "connections.yaml").unlink()
    engine = open_engine(tmp_path)
    engine.close()
    assert engine.dialect == "duckdb"
