"""Reading Business Central: the pipeline ends with the source's truth, or says why not.

The names F01 to F34 in docstrings are the failures of real connectors that the test injects.
"""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from flows.core.errors import SourceUnavailableError
from flows.core.warehouse import connect
from flows.sources import check_source
from flows.sources.business_central.source import open_business_central
from flows.sources.http import Patience
from tests.fixtures.business_central import Tenant, agrees, landed, newest, raw_count

pytestmark = pytest.mark.usefixtures("business_central_warehouse")

JSON = {"content-type": "application/json"}
EVERYTHING = ("currencies", "currencyExchangeRates", "items", "customers", "contacts",
              "salesOrders", "salesShipments", "salesInvoices", "salesCreditMemos")  # fmt: skip


def query(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def rename(tenant: Tenant, key: str, name: str, **options: Any) -> None:
    tenant.script.save("DK01", "customers", key, {"displayName": name}, **options)


def all_agree(tenant: Tenant) -> bool:
    return all(
        agrees(tenant, name, *(("code",) if name == "currencies" else ())) for name in EVERYTHING
    )


def test_a_first_run_lands_every_company_and_a_second_one_nothing(trading_tenant: Tenant) -> None:
    """F04, F26: no date and no default company cuts anything off; one call an object, then."""
    first = trading_tenant.land_all()
    trading_tenant.calls()
    second = trading_tenant.land_all()

    assert [one.refusal for one in first] == [None] * len(first)
    assert all_agree(trading_tenant)
    assert {key.partition("|")[0] for key in landed("customers")} == {"DK01", "GB01", "US01"}
    assert all(one.unchanged for one in second)
    made = trading_tenant.calls()
    assert len([one for one in made if "$batch" in one]) == len(second)
    assert len(made) <= 2 * len(second)
    last = "select calls from ops.calls where connection = 'erp' and purpose = 'list customers'"
    assert query(last)[0][0] >= 1


def test_lines_come_with_their_documents(trading_tenant: Tenant) -> None:
    trading_tenant.land("salesInvoices")
    lines = {
        line["id"]: line["quantity"]
        for invoice in landed("salesInvoices").values()
        for line in invoice["salesInvoiceLines"]
    }
    truth = trading_tenant.truth("salesInvoiceLines")
    assert lines == {key.partition("|")[2]: row["quantity"] for key, row in truth.items()}


def test_days_of_business_leave_the_warehouse_with_the_systems_truth(
    trading_tenant: Tenant,
) -> None:
    """F06, F31: orders are shipped, invoiced and posted away, goods come back."""
    trading_tenant.land_all()
    for _ in range(2):
        trading_tenant.script.play_day()
        trading_tenant.land_all()
        assert all_agree(trading_tenant)
        assert all(one.unchanged for one in trading_tenant.land_all())


def test_f31_an_order_that_was_posted_is_not_deleted(trading_tenant: Tenant) -> None:
    """F31: it left the list because it is invoiced; another one was really deleted."""
    trading_tenant.land_all()
    company, posted = next(iter(trading_tenant.truth("salesOrders"))).split("|")
    others = [key.split("|") for key in trading_tenant.truth("salesOrders") if posted not in key]
    trading_tenant.script.post_order(company, posted)
    trading_tenant.script.delete(others[0][0], "salesOrders", others[0][1])
    trading_tenant.land_all()

    found = {
        key: (operation, payload.get("number"))
        for _, key, operation, payload in newest("salesOrders")
    }
    assert found[posted][0] == "upsert"
    assert found[posted][1]
    assert found[others[0][1]][0] == "delete"
    statement = "select status, operation from raw.orders where order_id = %s order by raw_id desc"
    assert query(statement, posted)[0] == ("invoiced", "upsert")
    assert query(statement, others[0][1])[0][1] == "delete"
    assert query("select count(*) from raw.invoices where order_id = %s", posted)[0][0] >= 1
    assert trading_tenant.land("salesOrders").unchanged


def test_f01_a_row_that_becomes_visible_behind_the_watermark_is_read(tenant: Tenant) -> None:
    """F01: a transaction is stamped before a run and ends after it."""
    tenant.land("customers")
    late = tenant.sandbox.tenant.clock.now().isoformat()
    rename(tenant, tenant.ids()[0], "Late", stamp=late, visible_after_seconds=300)
    tenant.script.advance_clock(seconds=60)
    rename(tenant, tenant.ids()[1], "On time")
    tenant.land("customers")
    assert landed("customers")[f"DK01|{tenant.ids()[0]}"]["displayName"] != "Late"

    tenant.script.advance_clock(seconds=301)
    tenant.land("customers")
    assert agrees(tenant, "customers", "displayName")
    assert tenant.land("customers").unchanged


def test_f02_equal_timestamps_at_the_edge_of_a_page_are_neither_lost_nor_doubled(
    tenant: Tenant,
) -> None:
    """F02: one change gives all rows one stamp, and the page ends within them."""
    tenant.script.rule(page_size=5)
    tenant.land("customers")
    stamp = tenant.sandbox.tenant.clock.now().isoformat()
    for key in tenant.ids():
        rename(tenant, key, f"Bulk {key[:8]}", stamp=stamp)
    batch = tenant.land("customers")

    assert (batch.landed, batch.note) == (12, None)
    assert agrees(tenant, "customers", "displayName")
    assert raw_count("customers") == 24
    assert tenant.land("customers").unchanged


def test_f02_a_list_that_ends_within_a_tie_is_taken_up_within_it(tenant: Tenant) -> None:
    """F02: the link is lost between two rows of one stamp."""
    tenant.land("customers")
    stamp = tenant.sandbox.tenant.clock.now().isoformat()
    for key in tenant.ids():
        rename(tenant, key, f"Bulk {key[:8]}", stamp=stamp)
    tenant.script.rule(page_size=5)
    body = '{"error":{"code":"BadRequest","message":"The skip token is not valid."}}'
    tenant.script.fault(path="skiptoken", status=400, body=body, headers=JSON)
    batch = tenant.land("customers")

    assert (batch.landed, batch.note) == (12, None)
    assert agrees(tenant, "customers", "displayName")


def test_f03_rows_on_the_bounds_of_a_window_land_once(tenant: Tenant) -> None:
    """F03: stamps exactly at, a millisecond before and after where the next walk begins."""
    tenant.land("customers")
    company = next(
        iter(query("select value -> 'state' -> 'companies' from ops.cursors")[0][0].values())
    )
    begin = datetime.fromisoformat(company["watermark"]) - timedelta(minutes=15)
    for key, step in zip(tenant.ids(), (0, 1, 2), strict=False):
        stamp = (begin + timedelta(milliseconds=step)).isoformat()
        rename(tenant, key, f"At {step}", stamp=stamp)
    batch = tenant.land("customers")

    assert (batch.landed, batch.note) == (3, None)
    assert agrees(tenant, "customers", "displayName")
    assert tenant.land("customers").unchanged


def test_f06_a_deleted_record_is_deleted_in_the_next_run(tenant: Tenant) -> None:
    """F06: nothing tells of a delete but the count."""
    tenant.land("customers")
    gone = tenant.ids()[0]
    tenant.script.delete("DK01", "customers", gone)
    first, second = tenant.land("customers"), tenant.land("customers")

    assert agrees(tenant, "customers")
    assert gone in str(first.note)
    assert second.unchanged


def test_f06_a_company_out_of_sight_is_not_taken_for_deleted(trading_tenant: Tenant) -> None:
    """F06, F26: the app may see fewer companies than before."""
    trading_tenant.land("customers")
    trading_tenant.options["companies"] = "DK01, GB01"
    trading_tenant.land("customers")

    assert {key.partition("|")[0] for key in landed("customers")} == {"DK01", "GB01", "US01"}


def test_f09_rows_beyond_a_silent_cap_are_read_all_the_same(tenant: Tenant) -> None:
    """F09: the server says that it is done while it has more."""
    tenant.script.rule(result_cap=5)
    batch = tenant.land("customers")

    assert batch.refusal is None
    assert agrees(tenant, "customers")


def test_f10_a_page_that_leads_to_itself_does_not_read_for_ever(tenant: Tenant) -> None:
    """F10: the same page for ever; the walk begins again behind it, or ends with a reason."""
    tenant.script.rule(page_size=5, is_page_stuck=True)
    batch = tenant.land("customers")

    assert batch.refusal or agrees(tenant, "customers")
    tenant.script.rule(is_page_stuck=False)
    assert tenant.land("customers").refusal is None
    assert agrees(tenant, "customers")


def test_f11_rows_that_pages_repeat_land_once(tenant: Tenant) -> None:
    """F11: a page begins with the last rows of the one before."""
    tenant.script.rule(page_size=5, repeated_rows=2)
    tenant.land("customers")

    assert agrees(tenant, "customers")
    assert raw_count("customers") == 12


def test_f12_the_servers_links_are_followed_as_they_are_and_to_no_other_host(
    tenant: Tenant,
) -> None:
    """F12: continuation only, with the same page size; a link elsewhere would take the token."""
    tenant.script.rule(page_size=5)
    tenant.land("customers")
    assert len([one for one in tenant.calls("$skiptoken") if "aid=FIRST" in one]) >= 2
    assert agrees(tenant, "customers")

    elsewhere = [(tenant.sandbox.url, "http://127.0.0.2:9")]
    tenant.script.fault(path="/customers", replace=elsewhere, times=99)
    again = tenant.land("customers", full=True)
    assert again.refusal is None or "another host" in again.refusal
    assert agrees(tenant, "customers")


@pytest.mark.parametrize("cut_at", [0.5, 0.9, 25])
def test_f15_a_page_that_breaks_off_is_asked_for_again(tenant: Tenant, cut_at: float) -> None:
    """F15: the connection ends in the middle of a body."""
    tenant.script.fault(path="/customers", cut_at=cut_at)
    tenant.land("customers")

    assert agrees(tenant, "customers")
    assert raw_count("customers") == 12


@pytest.mark.parametrize(
    "name",
    ["F16_non_json_and_odd_status", "F17_too_many_requests", "F17_unavailable", "gateway_timeout"],
)
def test_f16_f17_what_passes_is_waited_for(tenant: Tenant, name: str) -> None:
    """F16, F17: web pages for answers, 429 without a word on how long, 503, 504."""
    source = open_business_central(tenant.config, Patience(attempts=8, first_wait=0.01))
    assert source.count("customers") == 12
    tenant.script.inject(name)
    pages = list(source.pages("customers", None, full=False))

    assert sum(len(page.keys) for page in pages if not page.may_repeat) == 12


def test_f17_a_budget_of_calls_stops_the_run_cleanly_and_a_later_one_goes_on(
    tenant: Tenant,
) -> None:
    """F17: the connection's own daily budget; what was read is kept."""
    tenant.script.rule(page_size=2)
    tenant.options["daily_calls"] = "9"
    stopped = tenant.land("customers")
    assert "stopped early" in str(stopped.note)
    assert 0 < stopped.landed < 12

    del tenant.options["daily_calls"]
    rest = tenant.land("customers")
    assert stopped.landed + rest.landed == 12
    assert agrees(tenant, "customers")


def test_f18_a_token_that_ends_midway_is_renewed_once(tenant: Tenant) -> None:
    """F18: the token is no longer taken at some page."""
    tenant.script.rule(page_size=4)
    tenant.script.inject("F18_token_expires_on_the_way")
    tenant.land("customers")

    assert len(tenant.calls("oauth2/v2.0/token")) == 2
    assert agrees(tenant, "customers")


def test_f18_a_token_that_never_works_fails_after_one_renewal(tenant: Tenant) -> None:
    """F18: a 401 that no new token helps against."""
    body = '{"error":{"code":"Authentication_InvalidCredentials","message":"rejected"}}'
    tenant.script.fault(path="/api/v2.0/", status=401, body=body, headers=JSON, times=99)

    assert "Authentication_InvalidCredentials" in str(tenant.land("customers").refusal)
    assert len(tenant.calls("oauth2/v2.0/token")) == 2


def test_f25_new_fields_are_recorded_and_hidden_ones_refuse_the_object(tenant: Tenant) -> None:
    """F25: the set changes between runs; what is out of sight is not taken for cleared."""
    tenant.land("customers")
    tenant.script.add_field("customers", "region")
    tenant.script.save("DK01", "customers", tenant.ids()[0], {"region": "North"})
    batch = tenant.land("customers")
    assert [(one.column, one.change) for one in batch.drift] == [("region", "new")]
    assert landed("customers")[f"DK01|{tenant.ids()[0]}"]["region"] == "North"

    tenant.script.hide_field("customers", "phoneNumber")
    rename(tenant, tenant.ids()[0], "Changed")
    before = raw_count("customers")
    assert "no longer shows phoneNumber" in str(tenant.land("customers").refusal)
    assert raw_count("customers") == before

    tenant.options["without_fields"] = "customers.phoneNumber"
    assert tenant.land("customers").refusal is None


def test_f27_what_is_still_to_pay_changes_without_a_stamp_and_is_read(
    trading_tenant: Tenant,
) -> None:
    """F27: flow fields move while the row's timestamp stands still."""
    trading_tenant.land("salesInvoices")
    company, key = next(
        name.split("|")
        for name, row in trading_tenant.truth("salesInvoices").items()
        if row["status"] == "Open"
    )
    values = {"remainingAmount": 1.25}
    trading_tenant.script.change_silently(company, "salesInvoices", key, values)
    trading_tenant.script.advance_clock(seconds=86400)
    trading_tenant.land("salesInvoices")

    assert agrees(trading_tenant, "salesInvoices", "remainingAmount")
    assert trading_tenant.land("salesInvoices").unchanged


def test_f33_a_replica_that_lags_withholds_nothing(tenant: Tenant) -> None:
    """F33: the first walk reads a replica; what it does not show yet comes from the primary."""
    tenant.script.lag_replica()
    rename(tenant, tenant.ids()[0], "Newer than the replica")
    tenant.script.advance_clock(seconds=3600)
    tenant.land("customers")

    assert agrees(tenant, "customers", "displayName")


def test_the_census_names_and_fetches_rows_that_the_source_withholds(tenant: Tenant) -> None:
    withheld = tenant.ids()[:2]
    tenant.script.withhold_rows("customers", withheld)
    batch = tenant.land("customers")

    assert agrees(tenant, "customers")
    assert all(key in str(batch.note) for key in withheld)
    assert tenant.land("customers").unchanged


CHILD = """
import json, sys
from flows.landing import land_connection
from flows.sources.connections import ConnectionConfig
config = ConnectionConfig("erp", "business_central", json.loads(sys.argv[1]))
land_connection(config, run_id=None, objects=["salesInvoices"])
"""


def test_f05_a_run_that_is_killed_goes_on_where_it_was(trading_tenant: Tenant) -> None:
    """F05: SIGKILL between pages; rows and state are there together or not at all."""
    trading_tenant.script.rule(page_size=4)
    trading_tenant.script.fault(path="/salesInvoices", delay_seconds=60, skip=3)
    options = json.dumps(trading_tenant.config.options)
    child = subprocess.Popen([sys.executable, "-c", CHILD, options])
    try:
        wait_until(lambda: trading_tenant.sandbox.gate.faults[0].hits > 0)
        time.sleep(0.5)
    finally:
        child.kill()
        child.wait()
    trading_tenant.script.clear_faults()
    trading_tenant.script.rule(page_size=None)
    before = raw_count("salesInvoices")
    assert 0 < before < len(trading_tenant.truth("salesInvoices"))

    trading_tenant.land_all()
    assert all_agree(trading_tenant)
    assert raw_count("salesInvoices") == len(trading_tenant.truth("salesInvoices"))
    assert all(one.unchanged for one in trading_tenant.land_all())


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_line_that_is_taken_off_an_order_is_deleted(trading_tenant: Tenant) -> None:
    trading_tenant.land_all()
    company, line = next(
        key.split("|")
        for key, row in trading_tenant.truth("salesOrderLines").items()
        if row["sequence"] == 10000
    )
    order = trading_tenant.truth("salesOrderLines")[f"{company}|{line}"]["documentId"]
    trading_tenant.script.delete(company, "salesOrderLines", line)
    trading_tenant.land_all()

    statement = (
        "select operation from raw.order_lines where order_line_id = %s order by raw_id desc"
    )
    assert query(statement, f"{order}/10000")[0] == ("delete",)


def test_secrets_reach_neither_errors_nor_tables(tenant: Tenant) -> None:
    """F18: what signs in shows nowhere, and the refusal says what to correct."""
    tenant.land("customers")
    secret = tenant.sandbox.credentials["client_secret"]
    tenant.options["client_secret"] = "not-the-secret"
    refusal = str(tenant.land("customers").refusal)
    assert "invalid_client" in refusal
    assert "not-the-secret" not in refusal
    tables = ("ops.cursors", "ops.calls", "ops.rejects", "ops.batches")
    texts = itertools.chain.from_iterable(query(f"select t::text from {one} t") for one in tables)
    assert not any(secret in text for (text,) in texts)


def test_a_check_says_what_works_what_is_missing_and_what_it_costs(tenant: Tenant) -> None:
    tenant.script.hide_field("customers", "phoneNumber")
    report = check_source(tenant.config)
    findings = {one.subject: one for one in report.findings}

    assert not report.is_good
    assert "phoneNumber" in findings["customers"].detail
    assert findings["items"].is_good
    assert findings["companies"].detail == "DK01"
    assert report.calls_of_this_check == len(tenant.calls())

    tenant.options["client_secret"] = "not-the-secret"
    refused = check_source(tenant.config)
    assert "invalid_client" in refused.findings[0].detail


def test_what_a_run_cost_is_in_the_ledger_of_calls(tenant: Tenant) -> None:
    tenant.land("customers")
    made = len(tenant.calls())
    assert query("select sum(calls) from ops.calls where connection = 'erp'") == [(made,)]


def test_a_system_that_never_answers_fails_as_unavailable(tenant: Tenant) -> None:
    tenant.script.fault(path="/api/v2.0/", drop=True, times=99)
    source = open_business_central(tenant.config, Patience(attempts=2, first_wait=0.01))
    with pytest.raises(SourceUnavailableError, match="describe"):
        source.fields("customers")


def test_a_check_says_what_a_quiet_run_costs(trading_tenant: Tenant) -> None:
    told = check_source(trading_tenant.config).calls_of_a_quiet_run
    trading_tenant.land_all()
    trading_tenant.calls()
    trading_tenant.land_all()

    assert told == len(trading_tenant.calls())
