"""Every fault that the sandbox's org can be told to have, seen from outside.

One org serves the whole file; each test leaves it without faults and as it found it.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from flows.sandbox.vendors.salesforce import sandbox as salesforce
from flows.sandbox.vendors.salesforce.sandbox import SalesforceSandbox, SalesforceScript
from flows.sandbox.vendors.shared.company import Company
from flows.sandbox.vendors.shared.rules import Rules
from tests.fixtures.vendor_clients import salesforce_session

NOON = "2026-11-23T12:00:00+00:00"
SOQL = "SELECT Id, Name, SystemModstamp FROM Contact ORDER BY SystemModstamp, Id"


@pytest.fixture(scope="module")
def org(small_company: Company) -> Iterator[SalesforceSandbox]:
    with salesforce.served(small_company) as sandbox:
        sandbox.script.set_clock(NOON)
        yield sandbox


@pytest.fixture
def script(org: SalesforceSandbox) -> Iterator[SalesforceScript]:
    yield org.script
    org.script.clear_faults()
    org.script.set_clock(NOON)
    fresh = Rules()
    org.script.rule(**vars(fresh))
    org.org.schema.hidden.clear()


@pytest.fixture
def client(org: SalesforceSandbox, script: SalesforceScript) -> "Client":
    return Client(org)


class Client:
    """Asks without mending anything."""

    def __init__(self, org: SalesforceSandbox) -> None:
        self.session = salesforce_session(org)
        self.host = org.url

    def ask(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.host}/services/data/v68.0/{path}"
        return self.session.request(method, url, timeout=10, **options)

    def query(self, soql: str = SOQL, verb: str = "query") -> requests.Response:
        return self.ask(verb, params={"q": soql})

    def pages(self, soql: str = SOQL) -> Iterator[list[dict[str, Any]]]:
        page = self.query(soql).json()
        yield page["records"]
        while not page["done"]:
            page = self.ask(self.host + page["nextRecordsUrl"]).json()
            yield page["records"]

    def bulk(self, soql: str) -> str:
        job = self.ask("jobs/query", "POST", json={"operation": "query", "query": soql}).json()
        for _ in range(3):
            state = self.ask(f"jobs/query/{job['id']}").json()["state"]
        assert state == "JobComplete"
        return f"jobs/query/{job['id']}"


def code(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()[0]["errorCode"]


def key_of(script: SalesforceScript, entity: str = "Contact", place: int = 0) -> str:
    return sorted(key for key, row in script.truth()[entity].items() if not row["IsDeleted"])[place]


def test_f01_a_late_commit_shows_up_behind_what_was_already_read(
    client: Client, script: SalesforceScript
) -> None:
    key = key_of(script)
    script.save("Contact", key, {"Title": "Late"}, visible_after_seconds=60)
    script.advance_clock(30)
    since = "SELECT Id, Title FROM Contact WHERE SystemModstamp >= 2026-11-23T12:00:00Z"
    assert client.query(since).json()["totalSize"] == 0
    assert script.truth()["Contact"][key]["Title"] == "Late"
    script.advance_clock(31)
    assert [row["Title"] for row in client.query(since).json()["records"]] == ["Late"]


def test_f02_and_f03_rows_of_one_second_lie_on_both_sides_of_a_page_and_of_a_bound(
    client: Client, script: SalesforceScript
) -> None:
    keys = [key_of(script, place=place) for place in range(6)]
    for key in keys:
        script.save("Contact", key, {"Title": "Tied"}, stamp="2026-11-23T11:30:00+00:00")
    script.rule(page_size=4)
    where = "WHERE SystemModstamp {} 2026-11-23T11:30:00Z AND Title = 'Tied'"
    soql = f"SELECT Id FROM Contact {where} ORDER BY SystemModstamp, Id"
    tied = [row["Id"] for page in client.pages(soql.format(">=")) for row in page]
    assert tied == keys
    assert client.query(soql.format(">")).json()["totalSize"] == 0
    assert client.query(soql.format("<")).json()["totalSize"] == 0


def test_f06_a_hard_delete_is_in_the_log_only_until_the_log_is_purged(
    client: Client, script: SalesforceScript
) -> None:
    script.save("Contact", "0035g0XXXXXXXXXXXX", {"LastName": "Gone"})
    script.delete("Contact", "0035g0XXXXXXXXXXXX", is_hard=True)
    window = {"start": "2026-11-23T11:00:00Z", "end": "2026-11-23T12:01:00Z"}
    found = client.ask("sobjects/Contact/deleted", params=window).json()["deletedRecords"]
    assert [one["id"] for one in found] == ["0035g0XXXXXXXXXXXX"]
    binned = client.query("SELECT Id FROM Contact WHERE LastName = 'Gone'", "queryAll").json()
    assert binned["totalSize"] == 0
    script.forget_deletions("2026-11-23T12:00:30+00:00")
    purged = client.ask("sobjects/Contact/deleted", params=window).json()
    assert purged["deletedRecords"] == []
    assert purged["earliestDateAvailable"] == "2026-11-23T12:00:30.000+0000"


def test_f06_a_row_without_permission_looks_gone_but_was_not_deleted(
    client: Client, script: SalesforceScript
) -> None:
    key = key_of(script)
    script.hide_rows("Contact", [key])
    ids = [row["Id"] for page in client.pages() for row in page]
    assert key not in ids
    assert code(client.ask(f"sobjects/Contact/{key}")) == (404, "NOT_FOUND")
    window = {"start": "2026-11-23T11:00:00Z", "end": "2026-11-23T12:01:00Z"}
    deleted = client.ask("sobjects/Contact/deleted", params=window).json()["deletedRecords"]
    assert key not in {one["id"] for one in deleted}


def test_f08_windows_beyond_what_the_org_remembers_are_refused(client: Client) -> None:
    def ask(verb: str, start: str) -> tuple[int, str]:
        window = {"start": start, "end": "2026-11-23T12:01:00Z"}
        return code(client.ask(f"sobjects/Contact/{verb}", params=window))

    assert ask("updated", "2026-10-20T00:00:00Z") == (400, "INVALID_REPLICATION_DATE")
    assert ask("deleted", "2026-11-07T00:00:00Z") == (400, "INVALID_REPLICATION_DATE")
    assert ask("updated", "2026-11-23T12:01:30Z") == (400, "INVALID_REPLICATION_DATE")
    assert ask("updated", "2026-11-23T11:00:00 00:00") == (400, "INVALID_REPLICATION_DATE")
    assert ask("updated", "2026-11-23T11:00:00") == (400, "INVALID_REPLICATION_DATE")


def test_f08_the_bin_is_emptied_after_fifteen_days(
    org: SalesforceSandbox, client: Client, script: SalesforceScript
) -> None:
    key = "0035g0YYYYYYYYYYYY"
    script.save("Contact", key, {"LastName": "Binned"})
    script.delete("Contact", key)
    soql = "SELECT Id FROM Contact WHERE LastName = 'Binned'"
    assert client.query(soql, "queryAll").json()["totalSize"] == 1
    script.advance_clock(15 * 24 * 3600 + 1)
    assert Client(org).query(soql, "queryAll").json()["totalSize"] == 0
    assert key not in script.truth()["Contact"]


def test_f09_a_capped_result_says_that_it_is_done(client: Client, script: SalesforceScript) -> None:
    script.rule(result_cap=3)
    page = client.query().json()
    assert (len(page["records"]), page["done"]) == (3, True)
    assert page["totalSize"] > 3


def test_f10_a_page_can_lead_to_itself_for_ever(client: Client, script: SalesforceScript) -> None:
    script.rule(page_size=2, is_page_stuck=True)
    pages = client.pages()
    seen = [next(pages) for _ in range(5)]
    assert seen[2] == seen[3] == seen[4]


def test_f11_rows_can_come_twice_over_pages(client: Client, script: SalesforceScript) -> None:
    script.rule(page_size=4, repeated_rows=2)
    ids = [row["Id"] for page in client.pages() for row in page]
    assert (
        len(ids) > len(set(ids)) == client.query("SELECT COUNT() FROM Contact").json()["totalSize"]
    )


def test_f12_the_next_page_can_be_another_spelling_of_its_address(
    client: Client, script: SalesforceScript
) -> None:
    script.rule(page_size=2)
    script.fault(path="/query", replace=[["/services/data/v68.0/query/", "query/"]])
    assert client.query().json()["nextRecordsUrl"].startswith("query/")


def test_f13_a_proxy_can_take_the_locator_away(client: Client, script: SalesforceScript) -> None:
    job = client.bulk("SELECT Id FROM Contact")
    script.inject("F13_locator_header_stripped")
    without = client.ask(f"{job}/results")
    assert "Sforce-Locator" not in without.headers
    again = client.ask(f"{job}/results")
    assert again.headers["Sforce-Locator"] == "null"
    assert again.content == without.content


def test_f14_bulk_values_arrive_byte_for_byte_without_a_charset(
    client: Client, script: SalesforceScript
) -> None:
    odd = {"Title": 'NA "x",\r\nœ 🚚 \x00', "Department": "null", "Email": "NULL"}
    script.save("Contact", key_of(script), odd)
    job = client.bulk(
        "SELECT Title, Department, Email, MobilePhone FROM Contact WHERE Email = 'NULL'"
    )
    reply = client.ask(f"{job}/results")
    assert reply.headers["Content-Type"] == "text/csv"
    row = next(csv.DictReader(io.StringIO(reply.content.decode(), newline="")))
    assert {name: row[name] for name in odd} == odd


def test_f14_the_header_row_can_be_on_every_set_or_on_the_first_only(
    client: Client, script: SalesforceScript
) -> None:
    job = client.bulk("SELECT Id FROM Contact")

    def second() -> bytes:
        first = client.ask(f"{job}/results", params={"maxRecords": 3})
        following = {"maxRecords": 3, "locator": first.headers["Sforce-Locator"]}
        return client.ask(f"{job}/results", params=following).content

    assert second().startswith(b'"Id"')
    script.rule(is_header_on_every_page=False)
    assert not second().startswith(b'"Id"')


def test_f15_an_answer_can_break_off_in_the_middle(
    client: Client, script: SalesforceScript
) -> None:
    script.inject("F15_truncated_stream")
    with pytest.raises(requests.exceptions.RequestException):
        client.query().json()
    assert client.query().status_code == 200


def test_f16_answers_can_be_no_json_at_all(client: Client, script: SalesforceScript) -> None:
    script.inject("F16_non_json_and_odd_status")
    answers = [client.query() for _ in range(5)]
    assert [reply.status_code for reply in answers] == [406, 420, 503, 200, 200]
    assert [b"{" in reply.content for reply in answers] == [False] * 4 + [True]


def test_f17_the_daily_allowance_ends_in_403_without_a_time_to_wait(
    client: Client, script: SalesforceScript, org: SalesforceSandbox
) -> None:
    used = org.org.quota.used(org.org.clock.now())
    script.quota(used + 1)
    first, second = client.query(), client.query()
    script.quota(100_000)
    assert first.headers["Sforce-Limit-Info"] == f"api-usage={used + 1}/{used + 1}"
    assert code(second) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert "Retry-After" not in second.headers


def test_f18_a_token_ends_and_an_idle_session_does(
    client: Client, script: SalesforceScript, org: SalesforceSandbox
) -> None:
    script.expire_tokens()
    assert code(client.query()) == (401, "INVALID_SESSION_ID")
    fresh = Client(org)
    script.advance_clock(7100)
    assert fresh.query().status_code == 200
    script.advance_clock(7201)
    assert code(fresh.query()) == (401, "INVALID_SESSION_ID")


def test_f21_a_record_is_made_though_the_reply_is_lost(
    client: Client, script: SalesforceScript
) -> None:
    script.inject("F21_write_retry_duplicates")
    with pytest.raises(requests.exceptions.ConnectionError):
        client.ask("sobjects/Account", "POST", json={"Name": "Made once", "ERP_Id__c": "LOST-1"})
    assert client.ask("sobjects/Account/ERP_Id__c/LOST-1").json()["Name"] == "Made once"


def test_f25_fields_are_hidden_added_and_removed_between_two_calls(
    client: Client, script: SalesforceScript
) -> None:
    def names() -> set[str]:
        return {one["name"] for one in client.ask("sobjects/Contact/describe").json()["fields"]}

    before = names()
    script.hide_field("Contact", "Phone")
    script.add_field("Contact", "Shoe_Size__c", "double", 0)
    assert before - names() == {"Phone"}
    assert names() - before == {"Shoe_Size__c"}
    assert code(client.query("SELECT Phone FROM Contact")) == (400, "INVALID_FIELD")
    assert client.query("SELECT Shoe_Size__c FROM Contact").status_code == 200
    script.remove_field("Contact", "Shoe_Size__c")
    assert code(client.query("SELECT Shoe_Size__c FROM Contact")) == (400, "INVALID_FIELD")


def test_f25_a_description_that_did_not_change_need_not_be_sent_again(client: Client) -> None:
    first = client.ask("sobjects/Case/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.ask("sobjects/Case/describe", headers=since).status_code == 304


def test_f27_a_formula_changes_and_its_stamp_does_not(
    client: Client, script: SalesforceScript
) -> None:
    key = key_of(script, "Opportunity")
    soql = f"SELECT ExpectedRevenue, SystemModstamp FROM Opportunity WHERE Id = '{key}'"
    before = client.query(soql).json()["records"][0]
    script.change_silently("Opportunity", key, {"ExpectedRevenue": 123.0})
    after = client.query(soql).json()["records"][0]
    assert after["ExpectedRevenue"] == 123.0
    assert after["SystemModstamp"] == before["SystemModstamp"]


def test_f30_a_version_that_somebody_changed_is_not_written_over(
    client: Client, script: SalesforceScript
) -> None:
    path = f"sobjects/Account/{key_of(script, 'Account')}"
    known = client.ask(path).headers["ETag"]
    fresh = client.ask(path, "PATCH", json={"Fax": "1"}, headers={"If-Match": known})
    stale = client.ask(path, "PATCH", json={"Fax": "2"}, headers={"If-Match": known})
    assert (fresh.status_code, stale.status_code) == (204, 412)


def test_f34_a_job_fails_without_a_reason_or_is_aborted(
    client: Client, script: SalesforceScript
) -> None:
    script.end_next_job("Failed")
    script.end_next_job("Aborted")
    wanted = {"operation": "query", "query": "SELECT Id FROM Contact"}
    for state in ("Failed", "Aborted"):
        job = client.ask("jobs/query", "POST", json=wanted).json()
        for _ in range(3):
            shown = client.ask(f"jobs/query/{job['id']}").json()
        assert shown["state"] == state
        assert "errorMessage" not in shown
        assert client.ask(f"jobs/query/{job['id']}/results").status_code == 204


def test_rows_that_the_org_withholds_are_counted_and_found_by_id(
    client: Client, script: SalesforceScript
) -> None:
    key = key_of(script)
    script.withhold_rows("Contact", [key])
    assert key not in {row["Id"] for page in client.pages() for row in page}
    keys = client.query("SELECT Id, SystemModstamp FROM Contact").json()["records"]
    assert key in {row["Id"] for row in keys}
    assert client.query("SELECT COUNT() FROM Contact").json()["totalSize"] == len(keys)
    assert client.ask(f"sobjects/Contact/{key}").status_code == 200


def test_a_locator_expires_after_two_days_and_jobs_in_another_version_are_refused(
    client: Client, script: SalesforceScript, org: SalesforceSandbox
) -> None:
    script.rule(page_size=2)
    following = client.query().json()["nextRecordsUrl"]
    job = client.bulk("SELECT Id FROM Contact")
    other = client.ask(f"{client.host}/services/data/v61.0/{job}")
    assert other.status_code == 409
    script.advance_clock(2 * 24 * 3600 + 1)
    assert code(Client(org).ask(org.url + following)) == (400, "INVALID_QUERY_LOCATOR")


def test_bulk_refuses_what_only_pages_can_give(client: Client, script: SalesforceScript) -> None:
    def refusal(soql: str) -> str:
        reply = client.ask("jobs/query", "POST", json={"operation": "query", "query": soql})
        assert reply.status_code == 400
        return str(reply.json()[0]["message"])

    assert "compound data not supported" in refusal("SELECT BillingAddress FROM Account")
    assert "Not Supported in Bulk" in refusal("SELECT COUNT(Id) FROM Account")
    script.restrict("Case", is_in_bulk=False)
    assert "not supported by the Bulk API" in refusal("SELECT Id FROM Case")
    script.restrict("Case", is_in_bulk=True)


def test_commands_come_over_http_too(org: SalesforceSandbox, client: Client) -> None:
    def command(name: str, **arguments: Any) -> requests.Response:
        return requests.post(f"{org.url}/sandbox/{name}", json=arguments, timeout=10)

    assert command("fault", path="/query", status=503).status_code == 200
    assert client.query().status_code == 503
    assert client.query().status_code == 200
    assert command("truth").json()["Contact"] == org.script.truth()["Contact"]
    assert command("nothing").status_code == 404
    assert command("fault", nonsense=1).status_code == 400
    assert command("calls").json()[-1]["status"] == 200


def test_answers_are_compressed_for_who_can_read_that(
    client: Client, script: SalesforceScript
) -> None:
    plain = client.query().content
    script.rule(is_compressing=True)
    raw = client.session.get(
        f"{client.host}/services/data/v68.0/query", params={"q": SOQL}, timeout=10, stream=True
    )
    assert raw.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw.raw.read(decode_content=False)) == plain
