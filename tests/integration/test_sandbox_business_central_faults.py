"""Every fault that the sandbox's tenant can be told to have, seen from outside.

One tenant serves the whole file; each test leaves it without faults and as it found it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from flows.sandbox.vendors.business_central import sandbox as business_central
from flows.sandbox.vendors.business_central.sandbox import (
    BusinessCentralSandbox,
    BusinessCentralScript,
)
from flows.sandbox.vendors.shared.company import Company
from flows.sandbox.vendors.shared.rules import Rules
from tests.fixtures.vendor_clients import business_central_session

NOON = "2026-11-23T12:00:00+00:00"
CUSTOMERS = "DK01/customers"


@pytest.fixture(scope="module")
def tenant(small_company: Company) -> Iterator[BusinessCentralSandbox]:
    with business_central.served(small_company) as sandbox:
        sandbox.script.set_clock(NOON)
        yield sandbox


@pytest.fixture
def script(tenant: BusinessCentralSandbox) -> Iterator[BusinessCentralScript]:
    yield tenant.script
    tenant.script.clear_faults()
    tenant.script.catch_up_replica()
    tenant.script.set_clock(NOON)
    tenant.script.rule(**vars(Rules()))
    tenant.script.quota(6000)
    tenant.tenant.hidden_properties.clear()


@pytest.fixture
def client(tenant: BusinessCentralSandbox, script: BusinessCentralScript) -> "Client":
    return Client(tenant)


class Client:
    """Asks without mending anything."""

    def __init__(self, tenant: BusinessCentralSandbox) -> None:
        self.session = business_central_session(tenant)
        self.api = tenant.credentials["api_url"]
        companies = self.session.get(f"{self.api}/companies", timeout=10).json()["value"]
        self.url = f"{self.api}/companies({companies[0]['id']})"

    def ask(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.url}/{path}"
        return self.session.request(method, url, timeout=10, **options)

    def pages(self, path: str = "customers", size: int = 4) -> Iterator[list[dict[str, Any]]]:
        prefer = {"Prefer": f"odata.maxpagesize={size}"}
        url: str | None = path
        while url:
            page = self.ask(url, headers=prefer).json()
            yield page["value"]
            url = page.get("@odata.nextLink")

    def ids(self, path: str = "customers", size: int = 4) -> list[str]:
        return [row["id"] for page in self.pages(path, size) for row in page]


def code(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


def key_of(script: BusinessCentralScript, table: str = CUSTOMERS) -> str:
    return min(script.truth()[table])


def test_f01_a_late_commit_shows_up_behind_what_was_already_read(
    client: Client, script: BusinessCentralScript
) -> None:
    key = key_of(script)
    script.save("DK01", "customers", key, {"city": "Late"}, visible_after_seconds=60)
    script.advance_clock(30)
    since = "customers?$filter=lastModifiedDateTime ge 2026-11-23T12:00:00Z"
    assert client.ids(since) == []
    assert script.truth()[CUSTOMERS][key]["city"] == "Late"
    script.advance_clock(31)
    assert client.ids(since) == [key]


def test_f03_bounds_are_sharp_to_the_millisecond(
    client: Client, script: BusinessCentralScript
) -> None:
    key = key_of(script)
    script.save("DK01", "customers", key, {"city": "Edge"}, stamp="2026-11-23T11:00:00.999+00:00")
    at = "customers?$filter=lastModifiedDateTime {} 2026-11-23T11:00:00.999Z and city eq 'Edge'"
    found = {operator: client.ids(at.format(operator)) for operator in ("ge", "gt", "le", "lt")}
    assert found == {"ge": [key], "gt": [], "le": [key], "lt": []}


def test_f06_a_deleted_record_leaves_nothing_and_a_hidden_one_looks_the_same(
    client: Client, script: BusinessCentralScript
) -> None:
    gone = "7d0b2a54-0000-4000-8000-000000000001"
    script.save("DK01", "customers", gone, {"number": "C99999", "displayName": "Gone"})
    hidden = key_of(script)
    script.delete("DK01", "customers", gone)
    script.hide_rows("customers", [hidden])
    assert not {gone, hidden} & set(client.ids())
    for key in (gone, hidden):
        assert code(client.ask(f"customers({key})")) == (404, "Internal_RecordNotFound")
    assert hidden not in script.truth()[CUSTOMERS]


def test_f09_a_capped_list_says_nothing(client: Client, script: BusinessCentralScript) -> None:
    script.rule(result_cap=5)
    assert len(client.ids()) == 5
    assert client.ask("customers?$count=true").json()["@odata.count"] > 5


def test_f10_a_page_can_lead_to_itself_for_ever(
    client: Client, script: BusinessCentralScript
) -> None:
    script.rule(is_page_stuck=True)
    pages = client.pages(size=2)
    seen = [next(pages) for _ in range(5)]
    assert seen[2] == seen[3] == seen[4]


def test_f11_a_row_that_moves_between_two_pages_comes_twice_and_others_not_at_all(
    client: Client, script: BusinessCentralScript
) -> None:
    path = "customers?$orderby=lastModifiedDateTime"
    everything = client.ids(path)
    pages = client.pages(path)
    seen = [row["id"] for row in next(pages)]
    script.save("DK01", "customers", seen[0], {"city": "Moved"})
    seen += [row["id"] for page in pages for row in page]
    assert seen == [*everything, everything[0]]
    script.rule(repeated_rows=1)
    assert len(client.ids()) > len(set(client.ids()))


def test_f12_the_next_page_can_be_another_spelling_of_its_address(
    client: Client, script: BusinessCentralScript
) -> None:
    script.fault(path="/customers", replace=[[client.url, "companies"]])
    page = client.ask("customers", headers={"Prefer": "odata.maxpagesize=2"}).json()
    assert page["@odata.nextLink"].startswith("companies/customers")


def test_f15_an_answer_can_break_off_in_the_middle(
    client: Client, script: BusinessCentralScript
) -> None:
    script.inject("F15_truncated_stream")
    with pytest.raises(requests.exceptions.RequestException):
        client.ask("customers").json()
    assert client.ask("customers").status_code == 200


def test_f16_answers_can_be_no_json_at_all(client: Client, script: BusinessCentralScript) -> None:
    script.inject("F16_non_json_and_odd_status")
    script.inject("gateway_timeout")
    statuses = [client.ask("customers").status_code for _ in range(6)]
    assert statuses == [406, 420, 503, 200, 504, 200]


def test_f17_too_many_requests_come_without_a_time_to_wait_and_unavailable_with_one(
    client: Client, script: BusinessCentralScript, tenant: BusinessCentralSandbox
) -> None:
    script.quota(tenant.tenant.quota.used(tenant.tenant.clock.now()))
    limited = client.ask("customers")
    assert code(limited) == (429, "Application_TooManyRequests")
    assert "Retry-After" not in limited.headers
    script.advance_clock(301)
    assert client.ask("customers").status_code == 200
    script.inject("F17_unavailable")
    assert client.ask("customers").headers["Retry-After"] == "1"


def test_f18_a_token_ends_on_the_way(client: Client, script: BusinessCentralScript) -> None:
    script.inject("F18_token_expires_on_the_way")
    statuses = [client.ask("items").status_code for _ in range(4)]
    assert statuses == [200, 200, 401, 200]
    script.expire_tokens()
    assert code(client.ask("items")) == (401, "Authentication_InvalidCredentials")


def test_f21_a_record_is_made_though_the_reply_is_lost(
    client: Client, script: BusinessCentralScript
) -> None:
    script.inject("F21_write_retry_duplicates")
    content = {"id": "7d0b2a54-0000-4000-8000-000000000002", "code": "LOST", "displayName": "x"}
    with pytest.raises(requests.exceptions.ConnectionError):
        client.ask("paymentTerms", "POST", json=content)
    again = client.ask("paymentTerms", "POST", json=content)
    assert code(again) == (400, "Internal_EntityWithSameKeyExists")


def test_f25_properties_are_hidden_added_and_removed_between_two_calls(
    client: Client, script: BusinessCentralScript
) -> None:
    before = client.ask("customers?$top=1").json()["value"][0].keys()
    script.hide_field("customers", "email")
    script.add_field("customers", "shoeSize", "decimal", 0)
    after = client.ask("customers?$top=1").json()["value"][0].keys()
    assert (before - after, after - before) == ({"email"}, {"shoeSize"})
    assert client.ask("customers?$select=email").status_code == 400
    assert client.ask("customers?$filter=email eq 'x'").status_code == 400
    assert "shoeSize" in client.ask(f"{client.api}/$metadata").text
    script.remove_field("customers", "shoeSize")
    assert client.ask("customers?$select=shoeSize").status_code == 400


def test_f27_a_flow_field_changes_and_its_stamp_does_not(
    client: Client, script: BusinessCentralScript
) -> None:
    path = f"items({key_of(script, 'DK01/items')})"
    before = client.ask(path).json()
    script.change_silently("DK01", "items", before["id"], {"inventory": 7})
    after = client.ask(path).json()
    assert after["inventory"] == 7
    assert after["lastModifiedDateTime"] == before["lastModifiedDateTime"]


def test_f31_an_order_that_was_posted_leaves_the_list_and_its_invoice_names_it(
    client: Client, script: BusinessCentralScript
) -> None:
    key = key_of(script, "DK01/salesOrders")
    order = client.ask(f"salesOrders({key})").json()
    script.post_order("DK01", key)
    assert key not in client.ids("salesOrders")
    invoices = client.ask(f"salesInvoices?$filter=orderId eq {key}").json()["value"]
    assert {one["orderNumber"] for one in invoices} == {order["number"]}
    billed = round(sum(one["totalAmountExcludingTax"] for one in invoices), 2)
    assert billed == order["totalAmountExcludingTax"]


def test_f33_the_replica_lags_behind_what_was_just_written(
    client: Client, script: BusinessCentralScript
) -> None:
    script.lag_replica()
    key = key_of(script)
    path = "customers?$filter=city eq 'Replica'"
    script.save("DK01", "customers", key, {"city": "Replica"})
    replica = client.ask(path, headers={"Data-Access-Intent": "ReadOnly"}).json()["value"]
    assert (replica, client.ids(path)) == ([], [key])
    script.catch_up_replica()
    replica = client.ask(path, headers={"Data-Access-Intent": "ReadOnly"}).json()["value"]
    assert [row["id"] for row in replica] == [key]


def test_rows_that_the_tenant_withholds_are_counted_and_found_by_id(
    client: Client, script: BusinessCentralScript
) -> None:
    key = key_of(script)
    script.withhold_rows("customers", [key])
    assert key not in client.ids()
    keys = client.ids("customers?$select=id,lastModifiedDateTime")
    assert key in keys
    assert int(client.ask("customers/$count").text) == len(keys)
    assert client.ask(f"customers({key})").status_code == 200
