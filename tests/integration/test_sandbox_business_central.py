"""The sandbox's Business Central tenant, asked over HTTP as its readers ask it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msal
import pytest
import requests
from odata import ODataService

from flows.sandbox.company import write_company
from flows.sandbox.vendors.business_central import sandbox as business_central
from flows.sandbox.vendors.business_central.sandbox import BusinessCentralSandbox
from flows.sandbox.vendors.pairs import customer_pairs
from flows.sandbox.vendors.salesforce import sandbox as salesforce
from flows.sandbox.vendors.shared.company import Company
from tests.fixtures.vendor_clients import business_central_session, loopback_session

EMPTY_GUID = "00000000-0000-0000-0000-000000000000"


class Books:
    """The books of one company, asked by somebody who is logged in."""

    def __init__(self, sandbox: BusinessCentralSandbox, company: str = "DK01") -> None:
        self.session = business_central_session(sandbox)
        api = sandbox.credentials["api_url"]
        found = self.session.get(f"{api}/companies", timeout=10).json()["value"]
        self.url = next(f"{api}/companies({one['id']})" for one in found if one["name"] == company)

    def ask(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.url}/{path}", timeout=10, **options)

    def all(self, path: str, size: int = 5) -> Iterator[dict[str, Any]]:
        headers = {"Prefer": f"odata.maxpagesize={size}"}
        url: str | None = f"{self.url}/{path}"
        while url:
            page = self.session.get(url, headers=headers, timeout=10).json()
            yield from page["value"]
            url = page.get("@odata.nextLink")


def code(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


@pytest.fixture(scope="module")
def tenant(small_company: Company) -> Iterator[BusinessCentralSandbox]:
    """Return a tenant for the tests that can share one."""
    with business_central.served(small_company) as sandbox:
        yield sandbox


@pytest.fixture
def books(tenant: BusinessCentralSandbox) -> Books:
    return Books(tenant)


def test_a_generic_odata_client_reads_pages_and_filters(
    tenant: BusinessCentralSandbox,
) -> None:
    books = Books(tenant)
    books.session.headers["Prefer"] = "odata.maxpagesize=4"
    service = ODataService(
        f"{books.url}/", session=books.session, reflect_entities=True, quiet_progress=True
    )
    customer = service.entities["customers"]
    read = {one.number: one.displayName for one in service.query(customer)}
    truth = tenant.script.truth()["DK01/customers"].values()
    assert read == {row["number"]: row["displayName"] for row in truth}
    assert len(read) > 8
    query = service.query(customer).filter(customer.number == "C00020")
    assert [one.displayName for one in query] == [read["C00020"]]


def test_every_company_counts_its_numbers_for_itself(
    tenant: BusinessCentralSandbox,
) -> None:
    numbers = {
        company: {row["number"] for row in Books(tenant, company).all("customers")}
        for company in ("DK01", "US01")
    }
    assert "C00010" in numbers["DK01"] & numbers["US01"]
    session = business_central_session(tenant)
    url = tenant.credentials["api_url"]
    nowhere = session.get(f"{url}/companies({EMPTY_GUID})/customers", timeout=10)
    assert code(nowhere) == (404, "Internal_CompanyNotFound")


def test_pages_follow_the_servers_link_and_top_has_none(books: Books) -> None:
    everything = {row["id"] for row in books.all("salesInvoices", size=3)}
    counted = books.ask("salesInvoices/$count")
    assert int(counted.text) == len(everything) > 6
    first = books.ask("salesInvoices?$top=3", headers={"Prefer": "odata.maxpagesize=3"}).json()
    assert len(first["value"]) == 3
    assert "@odata.nextLink" not in first
    too_many = books.ask("customers", headers={"Prefer": "odata.maxpagesize=20001"})
    assert too_many.status_code == 413


def test_rows_carry_versions_and_empty_values_as_the_vendor_writes_them(books: Books) -> None:
    row = next(books.all("salesOrders?$expand=salesOrderLines,customer"))
    assert row["@odata.etag"].startswith('W/"')
    assert row["shipToContact"] == ""
    assert row["paymentTermsId"] == EMPTY_GUID
    assert row["customer"]["number"] == row["customerNumber"]
    lines = row["salesOrderLines"]
    assert [line["sequence"] % 10_000 for line in lines] == [0] * len(lines)
    net = round(sum(line["amountExcludingTax"] for line in lines), 2)
    assert net == row["totalAmountExcludingTax"]
    customer = next(books.all("customers?$filter=blocked eq '_x0020_'"))
    assert customer["blocked"] == "_x0020_"
    quote_free = books.ask("salesQuotes").json()["value"]
    assert quote_free == []


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("nothing", (404, "BadRequest_ResourceNotFound")),
        ("customers?$filter=nothing eq 1", (400, "BadRequest")),
        ("customers?$select=nothing", (400, "BadRequest")),
        ("customers?$expand=nothing", (400, "BadRequest")),
        ("customers?$filter=creditLimit eq 'many'", (400, "BadRequest")),
        ("customers?$filter=number eq", (400, "BadRequest")),
        ("customers?$filter=city eq 'a' or email eq 'b'", (400, "BadRequest_MethodNotImplemented")),
        ("customers?$filter=number eq 'C000000000000000000001'",
         (400, "Application_FilterErrorException")),
        ("customers?$skiptoken=altered", (400, "BadRequest")),
        ("salesOrderLines", (400, "Application_DialogException")),
        (f"customers({EMPTY_GUID})", (404, "Internal_RecordNotFound")),
    ],
)  # fmt: skip
def test_what_the_vendor_refuses_is_refused(
    books: Books, path: str, refusal: tuple[int, str]
) -> None:
    reply = books.ask(path)
    assert code(reply) == refusal
    assert "CorrelationId:" in reply.json()["error"]["message"]


def test_a_filter_over_lines_is_passed_over_in_silence(books: Books) -> None:
    """F28: the whole table comes back, and nobody says so."""
    path = "salesInvoices?$filter=salesInvoiceLines/any(line:line/quantity gt 100000)"
    assert len(list(books.all(path))) == len(list(books.all("salesInvoices")))


def test_tokens_are_refused_for_wrong_secrets_and_end_after_an_hour(
    business_central_sandbox: BusinessCentralSandbox,
) -> None:
    books = Books(business_central_sandbox)
    known = business_central_sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": known["client_id"],
            "client_secret": "wrong", "scope": known["scope"]}  # fmt: skip
    refused = requests.post(known["token_url"], data=form, timeout=10)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert "AADSTS7000215" in refused.json()["error_description"]
    business_central_sandbox.script.advance_clock(3600)
    assert code(books.ask("customers")) == (401, "Authentication_InvalidCredentials")


def test_the_vendors_own_library_gets_tokens(tenant: BusinessCentralSandbox) -> None:
    known = tenant.credentials

    def token(secret: str) -> dict[str, Any]:
        app = msal.ConfidentialClientApplication(
            known["client_id"],
            client_credential=secret,
            authority=f"https://login.microsoftonline.com/{known['tenant']}",
            http_client=loopback_session(tenant.url),
            instance_discovery=False,
        )
        return dict(app.acquire_token_for_client([known["scope"]]))

    assert token(known["client_secret"])["expires_in"] == 3599
    assert token("wrong")["error_codes"] == [7000215]


def test_a_change_needs_the_version_that_the_caller_knows(books: Books) -> None:
    row = books.ask("customers?$top=1").json()["value"][0]
    path = f"customers({row['id']})"
    assert code(books.ask(path, "PATCH", json={"city": "Ribe"})) == (400, "BadRequest_InvalidToken")
    changed = books.ask(
        path, "PATCH", json={"city": "Ribe"}, headers={"If-Match": row["@odata.etag"]}
    )
    assert (changed.status_code, changed.json()["city"]) == (200, "Ribe")
    stale = books.ask(
        path, "PATCH", json={"city": "Vejle"}, headers={"If-Match": row["@odata.etag"]}
    )
    assert code(stale) == (409, "Request_EntityChanged")
    too_long = books.ask(path, "PATCH", json={"displayName": "x" * 101}, headers={"If-Match": "*"})
    assert code(too_long) == (400, "Application_StringExceededLength")
    locked = books.ask(path, "PATCH", json={"balanceDue": 1}, headers={"If-Match": "*"})
    assert code(locked) == (400, "BadRequest_InvalidOperation")


def test_what_an_open_order_needs_is_not_deleted_and_odd_values_are_refused(books: Books) -> None:
    order = books.ask("salesOrders?$top=1").json()["value"][0]
    path, any_version = f"customers({order['customerId']})", {"If-Match": "*"}
    deleted = books.ask(path, "DELETE", headers=any_version)
    assert code(deleted) == (400, "Application_DialogException")
    for content, refusal in (
        ({"blocked": "Sometimes"}, "Application_EvaluateException"),
        ({"taxLiable": None}, "BadRequest_RequiredParamNotProvided"),
        ({"currencyId": "EUR"}, "Application_InvalidGUID"),
        ({"nothing": 1}, "BadRequest"),
    ):
        reply = books.ask(path, "PATCH", json=content, headers=any_version)
        assert code(reply) == (400, refusal)


def test_an_order_is_made_with_its_lines_once_and_posted_away(books: Books) -> None:
    customer = books.ask("customers?$top=1").json()["value"][0]
    item = books.ask("items?$top=1").json()["value"][0]
    key = "6b1f4a3e-8d0a-4c0e-9a55-1d2c3b4a5f60"
    order = {
        "id": key,
        "customerNumber": customer["number"],
        "externalDocumentNumber": "CRM-TEST",
        "salesOrderLines": [{"itemId": item["id"], "quantity": 2, "unitPrice": 10.5}],
    }
    made = books.ask("salesOrders", "POST", json=order)
    assert (made.status_code, made.json()["totalAmountExcludingTax"]) == (201, 21)
    assert code(books.ask("salesOrders", "POST", json=order)) == (
        400,
        "Internal_EntityWithSameKeyExists",
    )
    posted = books.ask(f"salesOrders({key})/Microsoft.NAV.shipAndInvoice", "POST")
    assert posted.status_code == 204
    assert books.ask(f"salesOrders({key})").status_code == 404
    invoices = books.ask(f"salesInvoices?$filter=orderId eq {key}&$expand=salesInvoiceLines").json()
    assert [one["externalDocumentNumber"] for one in invoices["value"]] == ["CRM-TEST"]
    assert invoices["value"][0]["salesInvoiceLines"][0]["amountExcludingTax"] == 21


def test_a_batch_answers_each_request_and_can_be_undone_as_one(books: Books) -> None:
    company = books.url.rpartition("/")[2]
    api = books.url.rpartition("/")[0]
    wanted = [
        {"id": "1", "method": "POST", "url": f"{company}/paymentTerms",
         "body": {"code": "NET7", "displayName": "NET7"}},
        {"id": "2", "method": "GET", "url": f"{company}/nothing"},
    ]  # fmt: skip
    headers = {"Isolation": "snapshot", "Content-Type": "application/json"}
    reply = books.session.post(
        f"{api}/$batch", data=json.dumps({"requests": wanted}), headers=headers, timeout=10
    )
    assert [one["status"] for one in reply.json()["responses"]] == [201, 404]
    terms = books.ask("paymentTerms?$filter=code eq 'NET7'").json()["value"]
    assert terms == []


def test_a_day_posts_orders_and_takes_goods_back(
    business_central_sandbox: BusinessCentralSandbox,
) -> None:
    """F31: an order that leaves the list was posted, and its invoice says which it was."""
    script = business_central_sandbox.script
    before, _ = script.truth(), script.play_day()
    after = script.truth()
    orders = {name: before[name].keys() for name in before if name.endswith("/salesOrders")}
    gone = [key for name, keys in orders.items() for key in keys if key not in after.get(name, {})]
    invoiced = {
        row["orderId"]
        for name, rows in after.items()
        if name.endswith("/salesInvoices")
        for key, row in rows.items()
        if key not in before.get(name, {})
    }
    assert gone
    assert set(gone) <= invoiced
    memos = [name for name in after if name.endswith("/salesCreditMemos")]
    assert sum(len(after[name]) - len(before.get(name, {})) for name in memos) >= 1


def test_an_import_of_prices_leaves_totals_and_stamps_and_can_be_put_right(
    small_company: Company,
) -> None:
    with business_central.served(small_company) as sandbox:
        books = Books(sandbox)

        def orders() -> dict[str, tuple[object, object, list[float]]]:
            return {
                one["id"]: (
                    one["totalAmountExcludingTax"],
                    one["lastModifiedDateTime"],
                    [line["netAmount"] for line in one["salesOrderLines"]],
                )
                for one in books.all("salesOrders?$expand=salesOrderLines")
            }

        before = orders()
        assert sandbox.script.import_prices(decimals_lost=2) > 0
        spoilt = orders()
        assert before
        for key, (total, stamp, amounts) in before.items():
            assert spoilt[key][:2] == (total, stamp)
            assert spoilt[key][2] == pytest.approx([100 * one for one in amounts])
        sandbox.script.import_prices(decimals_lost=-2)
        assert orders() == before


def test_two_plays_of_a_day_are_the_same(
    business_central_sandbox: BusinessCentralSandbox, small_company: Company
) -> None:
    moment = "2026-11-23T12:00:00+00:00"
    business_central_sandbox.script.set_clock(moment)
    business_central_sandbox.script.play_day()
    with business_central.served(small_company) as twin:
        twin.script.set_clock(moment)
        twin.script.play_day()
        assert twin.script.truth() == business_central_sandbox.script.truth()


def test_both_servers_hold_the_planted_pairs_and_the_keys_that_link_them(
    tenant: BusinessCentralSandbox, small_company: Company
) -> None:
    assert small_company.truth is not None
    with salesforce.served(small_company) as org:
        accounts = org.script.truth()["Account"]
    books = tenant.script.truth()
    customers = {
        key: row
        for name in books
        if name.endswith("/customers")
        for key, row in books[name].items()
    }
    pairs = list(customer_pairs(small_company.truth))
    assert {pair.left_key for pair in pairs} <= accounts.keys()
    across = [pair for pair in pairs if pair.right_source == "erp"]
    assert {pair.right_key for pair in across} <= customers.keys()
    linked = [pair for pair in across if pair.link in ("erp_customer_id", "crm_account_id")]
    assert linked
    assert all(accounts[pair.left_key]["ERP_Id__c"] == pair.right_key for pair in linked)


@pytest.mark.parametrize("system", ["salesforce", "business_central"])
def test_a_server_is_started_by_command_on_a_folder_and_can_go_on_from_it(
    system: str, tmp_path: Path
) -> None:
    write_company(tmp_path, scale=0.1)
    command = [sys.executable, "-m", "flows.sandbox.vendors", "--system", system,
               "--data", str(tmp_path)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            known = json.loads(server.stdout.readline())
            before = requests.post(f"{known['url']}/sandbox/truth", timeout=30).json()
            day = requests.post(f"{known['url']}/sandbox/play_day", timeout=60)
            after = requests.post(f"{known['url']}/sandbox/truth", timeout=30).json()
        finally:
            server.terminate()
    assert day.json() == 1
    assert before != after
