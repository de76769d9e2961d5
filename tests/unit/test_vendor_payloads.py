"""What vendors send, in the shapes of their documentation and of public recordings."""

import json
from typing import Any

import pytest

from flows.sources.business_central.dialect import BusinessCentralDialect
from flows.sources.business_central.queries import Company
from flows.sources.business_central.rows import page_of
from flows.sources.http import Action, Answer, json_page
from flows.sources.http.links import is_same_server, next_url
from flows.sources.http.quoted_csv import csv_page
from flows.sources.salesforce.dialect import SalesforceDialect
from flows.sources.salesforce.ids import whole_id
from flows.sources.salesforce.rows import page_of_csv, page_of_json

JSON = {"Content-Type": "application/json;charset=UTF-8"}
ACCOUNT = (
    '{"attributes":{"type":"Account","url":"/services/data/v68.0/sobjects/Account/0014W000027f6V3QAI"},'
    '"Id":"0014W000027f6V3QAI","Name":"University of Arizona","IsDeleted":false,'
    '"AnnualRevenue":null,"NumberOfEmployees":39000,"NumberofLocations__c":3.0,'
    '"BillingAddress":{"city":"Tucson","country":null,"geocodeAccuracy":null},'
    '"Owner":{"attributes":{"type":"User"},"Name":"A. User"},'
    '"Contacts":{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Contact"},"Id":"003"}]},'
    '"Products__c":"four;six","SystemModstamp":"2020-10-22T21:03:23.000+0000"}'
)
ORDER = (
    '{"@odata.etag":"W/\\"JzQ0O1RxdFZwemF5OyNw==\\"","id":"5D115C9C-44E3-EA11-BB43-000D3A2FECA1",'
    '"number":"S-ORD101001","orderDate":"2026-11-18","postingDate":"0001-01-01",'
    '"currencyId":"00000000-0000-0000-0000-000000000000","status":"In_x0020_Review",'
    '"blocked":"_x0020_","totalAmountIncludingTax":12345678901234.10,"fullyShipped":false,'
    '"billingPostalAddress":{"street":"1 \\"High\\" St\\r\\nB","city":"Ørsta"},'
    '"lastModifiedDateTime":"2026-11-18T20:05:51.603Z",'
    '"salesOrderLines":[{"@odata.etag":"W/\\"x\\"","id":"a","sequence":10000,"quantity":1}]}'
)


def answer(status: int, body: Any, **headers: str) -> Answer:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {**JSON, **named}, content)


@pytest.mark.parametrize(
    ("given", "action", "code"),
    [
        (answer(400, [{"message": "x", "errorCode": "MALFORMED_QUERY"}]), "REFUSE",
         "MALFORMED_QUERY"),
        (answer(400, {"error": "invalid_grant"}), "REFUSE", "invalid_grant"),
        (answer(404, [{"errorCode": "NOT_FOUND", "message": None}]), "REFUSE", "NOT_FOUND"),
        (answer(300, ["/services/data/v68.0/sobjects/Account/001"]), "REFUSE", ""),
        (answer(400, []), "REFUSE", ""),
        (answer(400, "null"), "REFUSE", ""),
        (answer(412, [{"errorCode": "PRECONDITION_FAILED", "message": "x", "fields": []}]),
         "REFUSE", "PRECONDITION_FAILED"),
        (answer(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "x"}]), "RETRY",
         "SERVER_UNAVAILABLE"),
        (answer(503, "<html>", Content_Type="text/html", Retry_After="120"), "RETRY", ""),
        (answer(429, "", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), "RETRY", ""),
        (answer(401, ""), "AUTHENTICATE", ""),
    ],
)  # fmt: skip
def test_errors_of_salesforce_of_every_shape_are_judged(
    given: Answer, action: str, code: str
) -> None:
    judged = SalesforceDialect().judge(given)
    assert (judged.action, judged.code) == (Action[action], code)


@pytest.mark.parametrize(
    ("given", "action", "code"),
    [
        (answer(404, {"error": {"code": "Internal_CompanyNotFound", "message": "m"}}), "REFUSE",
         "Internal_CompanyNotFound"),
        (answer(404, {"error": {"code": "BadRequest_ResourceNotFound", "message": "m"}}), "REFUSE",
         "BadRequest_ResourceNotFound"),
        (answer(409, {"error": {"code": "Request_EntityChanged", "message": "m"}}), "REFUSE",
         "Request_EntityChanged"),
        (answer(400, {"error": {"code": "", "message": "m", "details": []}}), "REFUSE", ""),
        (answer(400, {"error": "text"}), "REFUSE", ""),
        (answer(400, [{"error": "text"}]), "REFUSE", ""),
        (answer(413, ""), "REFUSE", ""),
        (answer(410, {"error": {"code": "Gone", "message": None}}), "REFUSE", "Gone"),
        (answer(500, {"error": {"code": "Internal_ServerError", "message": "m"}}), "RETRY",
         "Internal_ServerError"),
        (answer(502, "<html>", Content_Type="text/html", Retry_After="5"), "RETRY", ""),
        (answer(401, "", Content_Type=""), "AUTHENTICATE", ""),
    ],
)  # fmt: skip
def test_errors_of_business_central_of_every_shape_are_judged(
    given: Answer, action: str, code: str
) -> None:
    judged = BusinessCentralDialect().judge(given)
    assert (judged.action, judged.code) == (Action[action], code)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("space", ["", "\r\n  "])
def test_a_recorded_account_lands_to_the_letter(mark: str, space: str) -> None:
    """Compound fields, relationships, sub-queries and nulls; pretty-printed, or marked, or not."""
    rows = f"[{space}{ACCOUNT}{space}]"
    given = answer(200, f'{mark}{{"totalSize":1,{space}"done":true,"records":{rows}}}')
    page = page_of_json(json_page(given, "records"), {}, "SystemModstamp", "9", may_repeat=False)
    assert page.lines.decode() == ACCOUNT + "\n"
    assert page.keys == ["0014W000027f6V3QAI"]
    assert page.versions == ["2020-10-22T21:03:23.000Z"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_recorded_bulk_results_of_any_dialect_are_read(mark: str, end: str) -> None:
    lines = [
        '"Id","IsDeleted","Name","NumberOfEmployees","SystemModstamp"',
        '"0014W000027f6V3QAI","false","NA","0.0","2023-10-22T06:25:12.000Z"',
        '"0014W000027f6V4QAI","true","a ""b""","","2023-10-22T06:25:12.000Z"',
    ]
    found = csv_page((mark + end.join(lines) + end).encode(), keep=("Id", "IsDeleted",
                     "SystemModstamp"))  # fmt: skip
    page = page_of_csv(found, {}, "SystemModstamp", "9", may_repeat=False)
    rows = [json.loads(line) for line in page.lines.splitlines()]
    assert [row["Name"] for row in rows] == ["NA", 'a "b"']
    assert [row["NumberOfEmployees"] for row in rows] == ["0.0", None]
    assert page.gone == {"0014W000027f6V4QAI"}


def test_results_without_records_have_none() -> None:
    found = csv_page(b'"Id","SystemModstamp"\n', keep=("Id", "SystemModstamp"))
    assert page_of_csv(found, {}, "SystemModstamp", "9", may_repeat=False).keys == []


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_recorded_order_lands_to_the_letter_with_its_company(mark: str) -> None:
    """Versions, empty ids and dates, choices, nested addresses and lines, exact amounts."""
    given = answer(200, f'{mark}{{"@odata.context":"c","@odata.count":1,"value":[{ORDER}]}}')
    page = page_of(json_page(given, "value"), Company("c1", "Ørsta AS"), {})
    assert page.lines.decode().endswith(f",{ORDER[1:]}\n")
    assert page.keys == ["c1|5d115c9c-44e3-ea11-bb43-000d3a2feca1"]
    assert str(page.versions[0]).startswith("2026-11-18T20:05:51.6030000Z#")
    assert json.loads(page.lines)["_companyName"] == "Ørsta AS"


def test_a_record_that_was_never_changed_has_no_stamp() -> None:
    row = '{"id":"a","lastModifiedDateTime":"0001-01-01T00:00:00Z"}'
    given = answer(200, f'{{"value":[{row}]}}')
    page = page_of(json_page(given, "value"), Company("c1", "c"), {})
    assert str(page.versions[0]).startswith("#")


@pytest.mark.parametrize(
    ("current", "link", "leads_to"),
    [
        ("/services/data/v68.0/query", "query/0r8-2000", "/services/data/v68.0/query/0r8-2000"),
        ("/a", "/services/data/v68.0/query/0r8-2000", "/services/data/v68.0/query/0r8-2000"),
        ("companies(1)/customers?x=1", "customers?$skiptoken=a%253Db",
         "companies(1)/customers?$skiptoken=a%253Db"),
        ("/a", "https://h/x//y?$skiptoken=%27a%27", "https://h/x//y?$skiptoken=%27a%27"),
    ],
)  # fmt: skip
def test_f12_links_lead_where_they_say(current: str, link: str, leads_to: str) -> None:
    """F12: relative links begin where their page lies, others are kept to the letter."""
    assert next_url(current, link) == leads_to


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("https://API.example.com:443/x", True),
        ("http://api.example.com/x", False),
        ("https://api.example.com:444/x", False),
        ("https://api.example.com.evil.org/x", False),
        ("https://user@api.example.com/x", True),
    ],
)
def test_f12_a_token_goes_to_its_own_server_by_its_own_way(url: str, is_same: bool) -> None:  # noqa: FBT001
    """F12: the same host, the same port, and not from https to http."""
    assert is_same_server(url, "https://api.example.com") is is_same


def test_ids_of_fifteen_characters_are_made_whole() -> None:
    assert whole_id("0014W000027f6V3") == "0014W000027f6V3QAI"
    assert whole_id("0014W000027f6V3QAI") == "0014W000027f6V3QAI"
