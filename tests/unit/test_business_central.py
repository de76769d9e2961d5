"""What Business Central's connector makes of options, timestamps and refusals."""

import json
from collections.abc import Mapping

import pytest

from flows.core.errors import ConnectionsError
from flows.sources.business_central.dialect import BusinessCentralDialect
from flows.sources.business_central.objects import EXPANDED, needed
from flows.sources.business_central.options import read_options
from flows.sources.business_central.queries import Query
from flows.sources.business_central.stamps import literal, stamp
from flows.sources.connections import ConnectionConfig
from flows.sources.http import Action, Answer

GIVEN = {"tenant": "contoso.com", "client_id": "app", "client_secret": "hidden-secret"}


def config(**options: str) -> ConnectionConfig:
    return ConnectionConfig("erp", "business_central", {**GIVEN, **options})


def answer(status: int, code: str = "", message: str = "", **headers: str) -> Answer:
    kind = {"Content-Type": "application/json"} if code else {}
    body = json.dumps({"error": {"code": code, "message": message}}).encode() if code else b""
    return Answer(status, {**kind, **headers}, body)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.0000000Z"),
        ("2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00.5000000Z"),
        ("2026-11-23T10:00:00.1234567Z", "2026-11-23T10:00:00.1234567Z"),
        ("2026-11-23T12:00:00.25+02:00", "2026-11-23T10:00:00.2500000Z"),
    ],
)
def test_timestamps_of_any_spelling_compare_as_texts(text: str, whole: str) -> None:
    assert stamp(text) == whole
    assert stamp(literal(text)) <= stamp(text)


def test_the_address_follows_tenant_and_environment() -> None:
    options = read_options(config(environment="Sandbox 1"))
    host = "https://api.businesscentral.dynamics.com"
    assert options.api_url == f"{host}/v2.0/contoso.com/Sandbox%201/api/v2.0"
    assert options.credentials.authority == "https://login.microsoftonline.com/contoso.com"
    assert "hidden-secret" not in repr(options)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_secret": ""}, "'client_secret'"),
        ({"tenant": ""}, "'tenant'"),
        ({"page_size": "20001"}, "between 1 and 20000"),
        ({"overlap_minutes": "soon"}, "must be a number"),
    ],
)
def test_options_that_make_no_sense_are_named(changes: Mapping[str, str], said: str) -> None:
    with pytest.raises(ConnectionsError, match=said):
        read_options(config(**changes))


@pytest.mark.parametrize(
    ("given", "action"),
    [
        (answer(429, "Application_TooManyRequests", "6001"), Action.RETRY),
        (answer(503, "Internal_TenantUnavailable", "busy"), Action.RETRY),
        (answer(504), Action.RETRY),
        (answer(408), Action.RETRY),
        (answer(401, "Authentication_InvalidCredentials", "rejected"), Action.AUTHENTICATE),
        (answer(400, "BadRequest", "no such property"), Action.REFUSE),
        (answer(404, "Internal_RecordNotFound", "gone"), Action.REFUSE),
    ],
)
def test_what_passes_is_told_from_what_does_not(given: Answer, action: Action) -> None:
    """F17, F18: by code and status, also where nothing says how long to wait."""
    assert BusinessCentralDialect().judge(given).action is action


def test_a_missing_permission_is_named_as_one() -> None:
    said = "You do not have the following permissions on TableData Item: Read."
    judged = BusinessCentralDialect().judge(answer(400, "Application_DialogException", said))
    assert judged.is_about_permission


def test_options_of_an_address_are_spelled_so_that_every_server_reads_them() -> None:
    query = Query("customers", filter="number eq 'A&B' and city ne ''", order="id", is_counted=True)
    assert query.text == (
        "?$filter=number%20eq%20'A%26B'%20and%20city%20ne%20''&$orderby=id&$count=true"
    )


def test_fields_of_lines_are_needed_with_those_of_their_document() -> None:
    assert {"number", "salesOrderLines.quantity"} <= needed("salesOrders")
    assert all(any(one.startswith(f"{lines}.") for one in needed(name))
               for name, lines in EXPANDED.items() if name.startswith("sales"))  # fmt: skip
