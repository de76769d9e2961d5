"""The sandbox's Salesforce org, asked over HTTP as its readers ask it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from flows.sandbox.vendors.salesforce.sandbox import SalesforceSandbox
from tests.fixtures.vendor_clients import salesforce_get


def query(sandbox: SalesforceSandbox, soql: str, **options: Any) -> Any:
    reply = salesforce_get(sandbox, "query", params={"q": soql}, **options)
    assert reply.status_code == 200, reply.text
    return reply.json()


def refusal(sandbox: SalesforceSandbox, soql: str) -> tuple[int, str]:
    reply = salesforce_get(sandbox, "query", params={"q": soql})
    return reply.status_code, reply.json()[0]["errorCode"]


def test_a_token_is_given_for_client_credentials_and_says_nothing_of_its_end(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    known = salesforce_sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": known["client_id"]}
    url = f"{known['login_url']}/services/oauth2/token"
    secret = {"client_secret": known["client_secret"]}
    token = requests.post(url, data=form | secret, timeout=10).json()
    assert token["access_token"].startswith("00D")
    assert token["issued_at"].isdigit()
    assert "expires_in" not in token
    wrong = requests.post(url, data={**form, "client_id": "nobody"}, timeout=10)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client_id")


def test_pages_follow_each_other_by_locator_until_all_rows_were_there(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    salesforce_sandbox.script.rule(page_size=7)
    page = query(salesforce_sandbox, "SELECT Id, Name FROM Account ORDER BY Id")
    rows = list(page["records"])
    while not page["done"]:
        following = page["nextRecordsUrl"].split("/v68.0/")[1]
        page = salesforce_get(salesforce_sandbox, following).json()
        rows += page["records"]
    assert [row["Id"] for row in rows] == sorted(
        key for key in salesforce_sandbox.script.truth()["Account"]
    )
    assert page["totalSize"] == len(rows) > 7


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Account WHER Name = 'x'", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Account", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY"),
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Name = 3", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Nowhere", "INVALID_TYPE"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_a_query_that_the_vendor_refuses_is_refused(
    salesforce_sandbox: SalesforceSandbox, soql: str, code: str
) -> None:
    assert refusal(salesforce_sandbox, soql) == (400, code)


def test_a_row_that_is_committed_late_holds_the_covered_date_back(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    script, org = salesforce_sandbox.script, salesforce_sandbox.org
    script.set_clock("2026-11-23T12:00:00+00:00")
    key = next(iter(script.truth()["Account"]))
    script.save("Account", key, {"Name": "Late Ltd"}, visible_after_seconds=600)
    script.advance_clock(300)
    window = {"start": "2026-11-23T11:00:00+00:00", "end": "2026-11-23T12:05:00+00:00"}
    early = salesforce_get(salesforce_sandbox, "sobjects/Account/updated", params=window).json()
    assert early == {"ids": [], "latestDateCovered": "2026-11-23T12:00:00.000+0000"}
    script.advance_clock(301)
    late = salesforce_get(salesforce_sandbox, "sobjects/Account/updated", params=window).json()
    assert late == {"ids": [key], "latestDateCovered": "2026-11-23T12:05:00.000+0000"}
    assert org.truth()["Account"][key]["SystemModstamp"] == "2026-11-23T12:00:00.000+0000"


def test_a_day_of_business_merges_deletes_and_makes_new_orders(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    script = salesforce_sandbox.script
    before = script.truth()
    script.play_day()
    after = script.truth()
    merged = [row for row in after["Account"].values() if row.get("MasterRecordId")]
    assert [row["IsDeleted"] for row in merged] == [True]
    assert sum(row["IsDeleted"] for row in after["Contact"].values()) == 2
    assert len(after["Order"]) > len(before["Order"])
    now = datetime.now(UTC)
    window = {
        "start": (now - timedelta(hours=1)).isoformat(),
        "end": (now + timedelta(minutes=2)).isoformat(),
    }
    deleted = salesforce_get(salesforce_sandbox, "sobjects/Contact/deleted", params=window).json()
    gone = {row["id"] for row in deleted["deletedRecords"]}
    assert gone == {key for key, row in after["Contact"].items() if row["IsDeleted"]}
    script.play_day()
    undeleted = [key for key in gone if not script.truth()["Contact"][key]["IsDeleted"]]
    assert len(undeleted) == 1
