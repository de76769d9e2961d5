"""Independent clients of Salesforce are content with the sandbox's org."""

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from flows.sandbox.vendors.salesforce.sandbox import SalesforceSandbox
from tests.fixtures.vendor_clients import loopback_session, simple_salesforce

TAP = "tap-salesforce==2.8.1"


def test_simple_salesforce_reads_every_account_over_pages(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    salesforce_sandbox.script.rule(page_size=5)
    client = simple_salesforce(salesforce_sandbox)
    names = {
        row["Id"]: row["Name"] for row in client.query_all_iter("SELECT Id, Name FROM Account")
    }
    truth = salesforce_sandbox.script.truth()["Account"]
    assert names == {key: row["Name"] for key, row in truth.items()}
    counted = client.query("SELECT COUNT() FROM Account")
    assert counted["totalSize"] == len(truth)


def test_simple_salesforce_logs_in_with_a_signed_assertion(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    salesforce_sandbox.sessions.app.public_key = public
    known = salesforce_sandbox.credentials

    def log_in(username: str) -> Salesforce:
        return Salesforce(
            username=username,
            consumer_key=known["client_id"],
            privatekey=private,
            domain="login",
            session=loopback_session(salesforce_sandbox.url),
            version="68.0",
        )

    assert log_in(known["username"]).query("SELECT Id FROM User")["totalSize"] == 6
    with pytest.raises(SalesforceAuthenticationFailed, match="hasn't approved"):
        log_in("somebody@else.example")


def test_simple_salesforce_reads_and_describes_the_same_fields(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    client = simple_salesforce(salesforce_sandbox)
    assert "Account" in {one["name"] for one in client.describe()["sobjects"]}
    salesforce_sandbox.script.hide_field("Account", "Phone")
    fields = {one["name"]: one for one in client.Account.describe()["fields"]}
    assert "Phone" not in fields
    assert fields["ERP_Id__c"]["externalId"]
    assert fields["BillingCity"]["compoundFieldName"] == "BillingAddress"
    key = next(iter(salesforce_sandbox.script.truth()["Account"]))
    assert set(client.Account.get(key)) == {"attributes", *fields}
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Phone'"):
        client.query("SELECT Phone FROM Account")


def test_simple_salesforce_writes_and_is_refused_what_is_wrong(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    client = simple_salesforce(salesforce_sandbox)
    made = client.Account.create({"Name": "Nordlys AS", "ERP_Id__c": "X-1"})
    assert made["success"]
    assert client.Account.update(made["id"], {"Phone": "+47 1"}) == 204
    assert client.Account.upsert("ERP_Id__c/X-1", {"Name": "Nordlys ASA"}) == 200
    assert client.Account.upsert("ERP_Id__c/X-2", {"Name": "Sydlys AS"}) == 201
    found = client.Account.get_by_custom_id("ERP_Id__c", "X-1")
    assert (found["Id"], found["Name"], found["Phone"]) == (made["id"], "Nordlys ASA", "+47 1")
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        client.Contact.create({"FirstName": "Ada"})
    with pytest.raises(SalesforceMalformedRequest, match="DUPLICATE_VALUE"):
        client.Account.create({"Name": "Twin", "ERP_Id__c": "X-1"})
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        client.Account.update(made["id"], {"SystemModstamp": "2026-01-01T00:00:00Z"})
    assert client.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        client.Account.get(made["id"])


def test_an_external_key_that_two_records_have_is_ambiguous(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    client = simple_salesforce(salesforce_sandbox)
    for key in list(salesforce_sandbox.script.truth()["Account"])[:2]:
        salesforce_sandbox.script.save("Account", key, {"ERP_Id__c": "SAME"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        client.Account.upsert("ERP_Id__c/SAME", {"Name": "Which"})


def test_simple_salesforce_finds_what_changed_and_what_was_deleted(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    client = simple_salesforce(salesforce_sandbox)
    kept, gone = list(salesforce_sandbox.script.truth()["Contact"])[:2]
    salesforce_sandbox.script.save("Contact", kept, {"Title": "Director"})
    salesforce_sandbox.script.delete("Contact", gone, is_hard=True)
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(minutes=2)
    assert client.Contact.updated(start, end)["ids"] == [kept]
    deleted = client.Contact.deleted(start, end)["deletedRecords"]
    assert [one["id"] for one in deleted] == [gone]
    everything = client.query_all("SELECT Id FROM Contact", include_deleted=True)["records"]
    assert gone not in {row["Id"] for row in everything}


def test_simple_salesforce_reads_in_bulk_what_it_reads_in_pages(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    key = next(iter(salesforce_sandbox.script.truth()["Account"]))
    odd = 'Ünï "quoted"\r\nsecond line, NA'
    salesforce_sandbox.script.save("Account", key, {"Name": odd, "Phone": "null"})
    client = simple_salesforce(salesforce_sandbox)
    soql = "SELECT Id, Name, Phone FROM Account ORDER BY Id"
    pages = list(client.bulk2.Account.query(soql, max_records=6, wait=0))
    assert len(pages) > 2
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]
    paged = client.query_all(soql)["records"]
    assert rows == [{name: row[name] or "" for name in ("Id", "Name", "Phone")} for row in paged]
    assert odd in {row["Name"] for row in rows}


def test_several_requests_and_records_in_one_call_have_results_of_their_own(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    client = simple_salesforce(salesforce_sandbox)
    record = {"attributes": {"type": "Account"}, "ERP_Id__c": "C-1", "Name": "One"}
    bad = {"attributes": {"type": "Account"}, "ERP_Id__c": "C-2", "Name": "x" * 300}

    def upsert(records: list[Any], *, is_all: bool) -> Any:
        content = {"allOrNone": is_all, "records": records}
        path = "composite/sobjects/Account/ERP_Id__c"
        return client.restful(path, method="PATCH", data=json.dumps(content))

    alone = upsert([record, bad], is_all=False)
    assert [one["success"] for one in alone] == [True, False]
    assert alone[1]["errors"][0]["statusCode"] == "STRING_TOO_LONG"
    together = upsert([{**record, "ERP_Id__c": "C-3"}, bad], is_all=True)
    assert together[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert client.query("SELECT COUNT() FROM Account WHERE ERP_Id__c = 'C-3'")["totalSize"] == 0
    urls = ("v68.0/sobjects/Account/describe", "v68.0/sobjects/Nothing/describe")
    batch = {"batchRequests": [{"method": "GET", "url": url} for url in urls]}
    answered = client.restful("composite/batch", method="POST", data=json.dumps(batch))
    assert [one["statusCode"] for one in answered["results"]] == [200, 404]


LAUNCHER = """
import sys
from collections import Counter
import requests
from tap_salesforce import main

sandbox = sys.argv.pop(1)
ask = requests.Session.request


def asked(session, method, url, *args, **options):
    # The tap knows one log-in host only; where it goes from there the org says.
    url = url.replace("https://login.salesforce.com", sandbox)
    return ask(session, method, url, *args, **options)


requests.Session.request = asked
main()
"""


@pytest.fixture(scope="session")
def tap_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python that has the public Singer tap, in an environment of its own."""
    folder = tmp_path_factory.mktemp("tap")
    python = folder / "bin" / "python"
    for command in (
        [sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, str(folder)],
        [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python), TAP],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"NOT SHOWN: {TAP} cannot be installed here: {done.stderr[-300:]}")
    return python


def run_tap(python: Path, sandbox: SalesforceSandbox, folder: Path, *options: str) -> str:
    known = sandbox.credentials
    config = {
        "client_id": known["client_id"],
        "client_secret": known["client_secret"],
        "refresh_token": sandbox.sessions.app.refresh_token,
        "start_date": "2020-01-01T00:00:00Z",
        "api_type": "REST",
        "select_fields_by_default": "true",
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    command = [str(python), "-c", LAUNCHER, sandbox.url, "--config", str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.timeout(600)
def test_a_public_singer_tap_discovers_and_reads_the_org(
    salesforce_sandbox: SalesforceSandbox, tap_python: Path, tmp_path: Path
) -> None:
    catalog = json.loads(run_tap(tap_python, salesforce_sandbox, tmp_path, "--discover"))
    wanted = {"Account", "Contact", "OrderItem"}
    catalog["streams"] = [one for one in catalog["streams"] if one["stream"] in wanted]
    for stream in catalog["streams"]:
        whole = next(part for part in stream["metadata"] if not part["breadcrumb"])
        whole["metadata"]["selected"] = True
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog), encoding="utf-8")
    salesforce_sandbox.script.rule(page_size=9)
    lines = run_tap(tap_python, salesforce_sandbox, tmp_path, "--properties", str(path))
    read: dict[str, dict[str, Any]] = {name: {} for name in wanted}
    for message in map(json.loads, lines.splitlines()):
        if message["type"] == "RECORD":
            read[message["stream"]][message["record"]["Id"]] = message["record"]
    truth = salesforce_sandbox.script.truth()
    for name in wanted:
        stamps = {key: row["SystemModstamp"][:19] for key, row in read[name].items()}
        assert stamps == {key: row["SystemModstamp"][:19] for key, row in truth[name].items()}


def test_f22_and_f24_bulk_writes_fail_row_by_row_and_clear_only_what_they_say(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    client = simple_salesforce(salesforce_sandbox)
    client.Account.create({"Name": "Kept", "ERP_Id__c": "B-1", "Phone": "+1", "Fax": "+2"})
    rows = [
        {"ERP_Id__c": "B-1", "Name": "Changed", "Phone": "", "Fax": "#N/A"},
        {"ERP_Id__c": "B-2", "Name": "Made", "Phone": "+3", "Fax": ""},
        {"ERP_Id__c": "B-3", "Name": "", "Phone": "+4", "Fax": ""},
        {"ERP_Id__c": "", "Name": "Nobody", "Phone": "+5", "Fax": ""},
    ]
    done = client.bulk2.Account.upsert(records=rows, external_id_field="ERP_Id__c")
    assert [(one["numberRecordsTotal"], one["numberRecordsFailed"]) for one in done] == [(4, 2)]
    failed = client.bulk2.Account.get_failed_records(done[0]["job_id"])
    errors = [row["sf__Error"] for row in csv.DictReader(io.StringIO(failed))]
    assert [error.partition(":")[0] for error in errors] == [
        "REQUIRED_FIELD_MISSING", "MISSING_ARGUMENT",
    ]  # fmt: skip
    kept = client.Account.get_by_custom_id("ERP_Id__c", "B-1")
    assert (kept["Name"], kept["Phone"], kept["Fax"]) == ("Changed", "+1", None)


def test_records_are_counted_by_the_day_on_which_they_changed(
    salesforce_sandbox: SalesforceSandbox,
) -> None:
    client = simple_salesforce(salesforce_sandbox)
    day = "DAY_ONLY(SystemModstamp)"
    soql = f"SELECT {day} day, COUNT(Id) n FROM Account GROUP BY {day}"
    counted = {row["day"]: row["n"] for row in client.query(soql)["records"]}
    truth = salesforce_sandbox.script.truth()["Account"].values()
    assert counted == Counter(row["SystemModstamp"][:10] for row in truth)
