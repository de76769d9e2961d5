"""Large reads through Bulk API 2.0: the same rows as through REST, or a reason why not."""

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from flows.core.warehouse import connect
from tests.fixtures.salesforce import Org, agrees, landed, raw_count

pytestmark = pytest.mark.usefixtures("salesforce_warehouse")


@pytest.fixture
def bulk_org(org: Org) -> Org:
    """An org whose objects all count as large, with a few rows in each set of results."""
    org.options["bulk_from"] = "1"
    org.script.bulk(page_size=5)
    return org


def query(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def test_large_objects_are_read_by_bulk_and_small_changes_by_rest(bulk_org: Org) -> None:
    bulk_org.options["bulk_from"] = "10"
    bulk_org.land("Account")
    assert len(bulk_org.calls("/results")) == 3

    key = min(bulk_org.truth("Account"))
    bulk_org.script.save("Account", key, {"Name": "Changed"})
    bulk_org.land("Account")
    assert bulk_org.calls("jobs/query") == []
    assert agrees(bulk_org, "Account", "Name", "BillingCity")


def test_a_rerun_after_bulk_lands_nothing(bulk_org: Org) -> None:
    first, second = bulk_org.land("Contact"), bulk_org.land("Contact")
    assert (first.landed, second.unchanged) == (24, True)
    assert agrees(bulk_org, "Contact", "Email")


@pytest.mark.parametrize("is_on_every_page", [True, False])
def test_the_header_may_be_on_every_page_or_on_the_first(
    bulk_org: Org, *, is_on_every_page: bool
) -> None:
    bulk_org.script.rule(is_header_on_every_page=is_on_every_page)
    bulk_org.land("Account")
    assert agrees(bulk_org, "Account")


def test_f13_a_link_that_a_proxy_takes_away_refuses_the_object(bulk_org: Org) -> None:
    """F13: the locator header is gone, so that the first page looks like all there is."""
    without = {"without": ["Sforce-Locator", "Sforce-NumberOfRecords"]}
    bulk_org.script.fault(path="/results", times=99, **without)
    refused = bulk_org.land("Account")
    assert "Sforce-Locator" in str(refused.refusal)

    bulk_org.script.clear_faults()
    assert bulk_org.land("Account").refusal is None
    assert agrees(bulk_org, "Account")
    assert raw_count("Account") == 12


def test_f13_a_count_that_does_not_fit_the_page_is_asked_for_again(bulk_org: Org) -> None:
    """F13, F15: the header is a cross-check of what was parsed."""
    bulk_org.script.fault(path="/results", headers={"sforce-numberofrecords": "7"})
    bulk_org.land("Account")
    assert agrees(bulk_org, "Account")
    assert raw_count("Account") == 12


def test_f14_texts_land_byte_for_byte(bulk_org: Org) -> None:
    """F14: emoji, line ends, quotes, and words that look like nothing."""
    texts = ["NA", "null", "NULL", "🚀 Ærø", 'a "b" \\ c', "one\r\ntwo\nthree", "tab\there", "0.0"]
    keys = sorted(bulk_org.truth("Account"))
    for key, text in zip(keys, texts, strict=False):
        bulk_org.script.save("Account", key, {"Name": text, "Description": text * 9})
    bulk_org.land("Account")

    found = landed("Account")
    assert [found[key]["Name"] for key in keys[: len(texts)]] == texts
    assert [found[key]["Description"] for key in keys[: len(texts)]] == [t * 9 for t in texts]
    assert found[keys[0]]["AccountNumber"] == bulk_org.truth("Account")[keys[0]]["AccountNumber"]
    assert found[keys[0]]["Fax"] is None


def test_f14_a_character_that_postgres_cannot_hold_is_replaced(bulk_org: Org) -> None:
    """F14: NUL bytes occur."""
    key = min(bulk_org.truth("Account"))
    bulk_org.script.save("Account", key, {"Name": "a\0b"})
    batch = bulk_org.land("Account")
    assert batch.rejected == 0
    assert landed("Account")[key]["Name"] == "a\ufffdb"


def test_f14_the_same_over_rest(org: Org) -> None:
    """F14: NUL comes as an escape in JSON."""
    key = min(org.truth("Account"))
    org.script.save("Account", key, {"Name": 'a\0b "\\ud800" 🚀\n'})
    batch = org.land("Account")
    assert batch.rejected == 0
    assert landed("Account")[key]["Name"] == 'a\ufffdb "\\ud800" 🚀\n'


@pytest.mark.parametrize("cut_at", [0.3, 0.99])
def test_f15_results_that_break_off_are_asked_for_again(bulk_org: Org, cut_at: float) -> None:
    """F15: the download ends midway."""
    bulk_org.script.fault(path="/results", cut_at=cut_at)
    bulk_org.land("Account")
    assert agrees(bulk_org, "Account")
    assert raw_count("Account") == 12


@pytest.mark.parametrize("error", [None, "Something went wrong"])
def test_f34_a_job_that_fails_is_replaced_by_rest(bulk_org: Org, error: str | None) -> None:
    """F34: Failed, with or without a reason."""
    bulk_org.script.end_next_job("Failed", error)
    bulk_org.land("Account")
    assert agrees(bulk_org, "Account")
    assert raw_count("Account") == 12


def test_f34_a_job_that_somebody_aborted_refuses_the_object(bulk_org: Org) -> None:
    """F34: Aborted is no success with nothing to read."""
    bulk_org.script.end_next_job("Aborted")
    assert "Somebody aborted it" in str(bulk_org.land("Account").refusal)
    assert bulk_org.land("Account").landed == 12
    assert agrees(bulk_org, "Account")


def test_objects_that_bulk_does_not_know_are_read_by_rest(bulk_org: Org) -> None:
    bulk_org.script.restrict("Account", is_in_bulk=False)
    bulk_org.land("Account")
    assert agrees(bulk_org, "Account")


LOADER = """
import json, sys
from flows.landing import land_connection
from flows.sources.connections import ConnectionConfig
config = ConnectionConfig("crm", "salesforce", json.loads(sys.argv[1]))
land_connection(config, run_id=None, objects=["Account"])
"""


def kill_after(org: Org, pages: int, path: str) -> None:
    """Run a loader of its own and kill it (SIGKILL) when it asks for one more page."""
    org.script.fault(path=path, skip=pages, delay_seconds=60)
    options = json.dumps(dict(org.config.options))
    loader = subprocess.Popen([sys.executable, "-c", LOADER, options])
    deadline = time.monotonic() + 60
    while not org.sandbox.gate.faults[0].hits and time.monotonic() < deadline:
        assert loader.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)  # what was read before is committed by now
    loader.kill()
    loader.wait()
    org.script.clear_faults()


@pytest.mark.parametrize("way", ["rest", "bulk"])
def test_f05_a_killed_run_goes_on_from_the_last_committed_page(org: Org, way: str) -> None:
    """F05: state and rows are committed together; killed between pages, nothing is lost."""
    org.script.rule(page_size=3)
    org.script.bulk(page_size=3)
    org.options["bulk_from"] = "1" if way == "bulk" else "1000"
    kill_after(org, 2, "/results" if way == "bulk" else "/query[/?].*(0r8|SystemModstamp)")
    before = raw_count("Account")
    org.land("Account")

    assert 0 < before < 12
    assert raw_count("Account") == 12
    assert agrees(org, "Account")
    assert org.land("Account").unchanged
    sums = query(
        "select sum(extracted_count), sum(landed_count), sum(rejected_count) from ops.batches"
    )
    assert sums == [(12, 12, 0)]
