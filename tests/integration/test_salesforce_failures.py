"""Failures of real connectors, injected into Salesforce: the source's truth, or a reason why not.

Those of F01 to F34 that are not here are in the other tests of Salesforce; docs/failures.md lists
them all.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from flows.core.warehouse import connect
from flows.sandbox.vendors.shared.replies import Reply
from tests.fixtures.salesforce import Org, agrees, landed, raw_count

JSON = {"content-type": "application/json"}


def keys(org: Org) -> list[str]:
    return sorted(org.truth("Account"))


def rename(org: Org, key: str, name: str, **options: Any) -> None:
    org.script.save("Account", key, {"Name": name}, **options)


def refusing(org: Org, code: str, message: str, path: str = "/query", **fault: Any) -> None:
    body = json.dumps([{"errorCode": code, "message": message, "fields": []}])
    org.script.fault(path=path, body=body, headers=JSON, **{"status": 400, **fault})


@pytest.fixture
def far_zone(new_org: Org) -> Iterator[Org]:
    """Read from a machine that stands in California."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/Los_Angeles")
        time.tzset()
        yield new_org
    time.tzset()


def test_f04_rows_older_than_any_start_date_are_read(new_org: Org) -> None:
    """F04: two of five rows have not been touched for years."""
    for key in keys(new_org)[:5]:
        rename(new_org, key, f"Old {key}", stamp="2009-05-17T08:00:00+00:00")
    new_org.land("Account")
    assert agrees(new_org, "Account")
    assert new_org.land("Account").unchanged


def test_f05_a_field_that_appears_midway_loses_no_row(new_org: Org) -> None:
    """F05: the object changes between two pages; rows and state stay together."""
    new_org.script.rule(page_size=4)
    arguments = {"entity": "Account", "name": "Midway__c"}
    new_org.script.when("0r8", "add_field", arguments)
    new_org.land("Account")
    new_org.script.save("Account", keys(new_org)[0], {"Midway__c": "there"})
    batch = new_org.land("Account")

    assert [(one.column, one.change) for one in batch.drift] == [("Midway__c", "new")]
    assert agrees(new_org, "Account", "Name", "Midway__c")
    assert raw_count("Account", new_org.name) == 13


def test_f08_a_resync_after_the_state_was_lost_leaves_no_ghosts(new_org: Org) -> None:
    """F08: five rows are deleted for good in a gap that nobody remembers."""
    new_org.land("Account")
    for key in keys(new_org)[:5]:
        new_org.script.delete("Account", key, is_hard=True)
    with connect() as warehouse:
        warehouse.execute("delete from ops.cursors where connection = %s", (new_org.name,))
    new_org.land("Account")

    assert agrees(new_org, "Account")
    assert new_org.land("Account").unchanged


def test_f11_a_row_that_is_deleted_between_two_pages_takes_no_other_with_it(new_org: Org) -> None:
    """F11: the rows behind it move up by one."""
    new_org.script.rule(page_size=4)
    gone = keys(new_org)[0]
    new_org.script.when("0r8", "delete", {"entity": "Account", "key": gone, "is_hard": True})
    new_org.land("Account")
    new_org.land("Account")

    assert agrees(new_org, "Account")


def test_f12_a_relative_link_begins_where_its_page_lies(new_org: Org) -> None:
    """F12: the next page is given without the path before it."""
    new_org.script.rule(page_size=4)
    relative = [("/services/data/v68.0/query/", "query/")]
    new_org.script.fault(path="ORDER", replace=relative)
    assert new_org.land("Account").refusal is None
    assert agrees(new_org, "Account")


def test_f12_a_link_to_another_host_gets_no_token(new_org: Org) -> None:
    """F12: a link that leads elsewhere ends the run with a reason."""
    new_org.script.rule(page_size=4)
    elsewhere = [("/services/data/v68.0/query/", "http://127.0.0.2:9/query/")]
    new_org.script.fault(path="/query", replace=elsewhere, times=99)
    assert "another host" in str(new_org.land("Account").refusal)
    new_org.script.clear_faults()
    new_org.land("Account")
    assert agrees(new_org, "Account")


def test_f19_a_query_that_is_refused_is_no_success_without_rows(new_org: Org) -> None:
    """F19: a date that the server cannot read is an error, and the state stays where it was."""
    new_org.land("Account")
    rename(new_org, keys(new_org)[0], "Changed")
    refusing(new_org, "MALFORMED_QUERY", "line 1: mismatched date", times=9)
    refused = new_org.land("Account")
    assert "MALFORMED_QUERY" in str(refused.refusal)

    new_org.script.clear_faults()
    new_org.land("Account")
    assert agrees(new_org, "Account")


def test_f20_changes_in_the_evening_and_in_the_hour_that_comes_twice_are_read(
    far_zone: Org,
) -> None:
    """F20: days end elsewhere, and clocks go back; bounds are moments."""
    org = far_zone
    org.script.set_clock("2026-11-01T07:50:00+00:00")
    org.land("Account")
    for key, moment in zip(
        keys(org),
        ("2026-11-01T01:30:00-07:00", "2026-11-01T01:30:00-08:00", "2026-11-01T23:30:00-08:00"),
        strict=False,
    ):
        org.script.set_clock(moment)
        rename(org, key, f"At {moment}")
        org.land("Account")
    assert agrees(org, "Account")


def test_f21_a_job_whose_reply_was_lost_lands_its_rows_once(new_org: Org) -> None:
    """F21: the job was made, and nobody heard of it; it is made again."""
    new_org.options["bulk_from"] = "1"
    new_org.script.fault(path="/jobs/query", method="POST", drop=True, is_applied=True)
    new_org.land("Account")
    assert agrees(new_org, "Account")
    assert raw_count("Account", new_org.name) == 12


@pytest.mark.parametrize(
    ("status", "code"), [(500, "UNKNOWN_EXCEPTION"), (403, "REQUEST_LIMIT_EXCEEDED")]
)
def test_f22_a_part_of_an_answer_that_failed_is_not_an_object_that_is_not_there(
    new_org: Org, status: int, code: str
) -> None:
    """F22: 200 for the whole, an error for one of its parts."""

    def failing(reply: Reply) -> Reply:
        body = json.loads(reply.body)
        for one in body["results"]:
            one.update(statusCode=status, result=[{"errorCode": code, "message": "part"}])
        return replace(reply, body=json.dumps(body).encode(), headers=_without_length(reply))

    new_org.script.fault(path="composite/batch", change=failing)
    batch = new_org.land("Account")
    assert (batch.refusal, batch.landed) == (None, 12)
    assert agrees(new_org, "Account")


def _without_length(reply: Reply) -> dict[str, str]:
    return {name: text for name, text in reply.headers.items() if name.lower() != "content-length"}


def test_f23_a_locked_row_is_waited_for(new_org: Org) -> None:
    """F23: somebody else holds the row; that passes."""
    refusing(new_org, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", skip=1)
    new_org.land("Account")
    assert agrees(new_org, "Account")
    assert raw_count("Account", new_org.name) == 12


def test_f24_a_value_that_was_cleared_lands_as_cleared(new_org: Org) -> None:
    """F24: null is a value, not the absence of one."""
    key = next(key for key, row in new_org.truth("Account").items() if row.get("Phone"))
    new_org.land("Account")
    new_org.script.save("Account", key, {"Phone": None})
    new_org.land("Account")

    assert landed("Account", new_org.name)[key]["Phone"] is None
    assert agrees(new_org, "Account", "Phone")


def test_f25_a_field_of_another_type_is_recorded(new_org: Org) -> None:
    """F25: the same name, another kind of value."""
    new_org.script.add_field("Account", "Score__c", "string")
    new_org.land("Account")
    new_org.script.add_field("Account", "Score__c", "double")
    new_org.script.save("Account", keys(new_org)[0], {"Score__c": 1.5})
    batch = new_org.land("Account")

    assert [(one.column, one.change) for one in batch.drift] == [("Score__c", "retyped")]
    assert agrees(new_org, "Account", "Score__c")


def test_f25_six_hundred_fields_are_read_all_the_same(new_org: Org) -> None:
    """F25: a query too long for an address is sent as a job."""
    for number in range(600):
        new_org.script.add_field("Account", f"A_rather_long_name_of_a_field_{number}__c")
    new_org.script.save("Account", keys(new_org)[0], {"A_rather_long_name_of_a_field_599__c": "x"})
    new_org.land("Account")
    assert agrees(new_org, "Account", "Name", "A_rather_long_name_of_a_field_599__c")
    assert new_org.calls("jobs/query")


def test_f34_results_of_a_job_that_are_refused_start_another_job(new_org: Org) -> None:
    """F34: the job was made in another version of the API, or is gone."""
    new_org.options["bulk_from"] = "1"
    new_org.script.bulk(page_size=5)
    refusing(new_org, "API_ERROR_VERSION", "another version", "/results", status=409, skip=1)
    assert "another version" in str(new_org.land("Account").refusal)
    assert new_org.land("Account").refusal is None
    assert agrees(new_org, "Account")
    assert raw_count("Account", new_org.name) == 12


def test_the_log_of_deletes_may_name_short_ids(new_org: Org) -> None:
    new_org.land("Account")
    gone = keys(new_org)[0]
    new_org.script.delete("Account", gone, is_hard=True)
    new_org.script.fault(path="/deleted", replace=[(gone, gone[:15])])
    batch = new_org.land("Account")

    assert batch.landed == 1
    assert agrees(new_org, "Account")


def test_a_full_run_twice_leaves_the_same_truth(new_org: Org) -> None:
    """A backfill of everything finds what is gone, and so does the next one."""
    new_org.land("Account")
    new_org.script.delete("Account", keys(new_org)[0], is_hard=True)
    for _ in range(2):
        new_org.land("Account", full=True)
        assert agrees(new_org, "Account")
    assert new_org.land("Account").unchanged
