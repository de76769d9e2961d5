"""Reading Salesforce: the pipeline ends with the source's truth, or says why not.

The names F01 to F34 in docstrings are the failures of real connectors that the test injects.
"""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from flows.core.errors import NotPermittedError, SourceRefusedError
from flows.core.warehouse import connect
from tests.fixtures.salesforce import Org, agrees, landed, raw_count

JSON = "application/json"
pytestmark = pytest.mark.usefixtures("salesforce_warehouse")


def keys(org: Org, name: str = "Account") -> list[str]:
    return sorted(org.truth(name))


def query(statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def rename(org: Org, key: str, name: str, **options: Any) -> None:
    org.script.save("Account", key, {"Name": name}, **options)


def test_a_first_run_lands_everything_and_a_second_one_asks_twice_per_object(org: Org) -> None:
    """F04: nothing is cut off by a date from which reading begins."""
    first = org.land_all()
    org.calls()
    second = org.land_all()

    assert agrees(org, "Account", "Name", "BillingCity", "AnnualRevenue")
    assert agrees(org, "Contact", "Email", "AccountId")
    assert [one.refusal for one in first] == [None] * len(first)
    assert all(one.unchanged for one in second)
    assert len(org.calls("/services/data/")) <= 2 * len(second)
    counts = query("select source_count, warehouse_count, is_equal from ops.census order by 1")
    assert counts == [(12, 12, True), (24, 24, True)]


def test_only_what_changed_lands_and_a_rerun_changes_nothing(org: Org) -> None:
    org.land("Account")
    rename(org, keys(org)[3], "Renamed")
    changed, again = org.land("Account"), org.land("Account")

    assert (changed.landed, again.unchanged) == (1, True)
    assert agrees(org, "Account")
    assert raw_count("Account") == 13


def test_the_rerun_right_after_a_change_asks_twice_too(org: Org) -> None:
    org.land("Account")
    rename(org, keys(org)[0], "Renamed")
    org.land("Account")
    org.calls()
    org.land("Account")

    assert len(org.calls("sobjects/Account")) + len(org.calls("query?q")) <= 2


def test_f01_a_row_that_becomes_visible_behind_the_watermark_is_read(org: Org) -> None:
    """F01: a transaction is stamped before a run and ends after it."""
    org.land("Account")
    late = org.sandbox.org.clock.now().isoformat()
    rename(org, keys(org)[0], "Late", stamp=late, visible_after_seconds=300)
    org.script.advance_clock(seconds=60)
    rename(org, keys(org)[1], "On time")
    org.land("Account")
    assert landed("Account")[keys(org)[0]]["Name"] != "Late"

    org.script.advance_clock(seconds=301)
    org.land("Account")
    assert agrees(org, "Account")


def test_f02_equal_timestamps_at_the_edge_of_a_page_are_neither_lost_nor_doubled(
    org: Org,
) -> None:
    """F02: a bulk update gives all rows one stamp, and the page ends within them."""
    org.script.rule(page_size=5)
    org.land("Account")
    stamp = org.sandbox.org.clock.now().isoformat()
    for key in keys(org):
        rename(org, key, f"Bulk {key}", stamp=stamp)
    batch = org.land("Account")

    assert (batch.landed, batch.note) == (12, None)
    assert agrees(org, "Account")
    assert raw_count("Account") == 24
    assert org.land("Account").unchanged


def test_f02_a_query_that_ends_within_a_tie_is_taken_up_within_it(org: Org) -> None:
    """F02: the cursor is lost between two rows of one stamp."""
    org.land("Account")
    stamp = org.sandbox.org.clock.now().isoformat()
    for key in keys(org):
        rename(org, key, f"Bulk {key}", stamp=stamp)
    org.script.rule(page_size=5)
    gone = '[{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]'
    org.script.fault(path="0r8", status=400, body=gone, headers={"content-type": JSON})
    batch = org.land("Account")

    assert (batch.landed, batch.note) == (12, None)
    assert agrees(org, "Account")


def test_f03_rows_on_the_bounds_of_a_window_land_once(org: Org) -> None:
    """F03: stamps exactly at, just before and just after the watermark, and where walks begin."""
    org.land("Account")
    state = query("select value -> 'state' ->> 'watermark' from ops.cursors")[0][0]
    bounds = (state, state.replace(".000Z", ".999Z"), state.replace(".000Z", ".001Z"))
    begin = (datetime.fromisoformat(state) - timedelta(minutes=10)).isoformat()
    for key, stamp in zip(keys(org), (*bounds, begin), strict=False):
        rename(org, key, f"At {stamp}", stamp=stamp)
    batch = org.land("Account")

    assert (batch.landed, batch.note) == (4, None)
    assert agrees(org, "Account")
    assert org.land("Account").unchanged


def test_a_row_changed_twice_within_a_second_is_read_twice(org: Org) -> None:
    org.land("Account")
    stamp = org.sandbox.org.clock.now().replace(microsecond=0).isoformat()
    rename(org, keys(org)[0], "First", stamp=stamp)
    org.land("Account")
    rename(org, keys(org)[0], "Second", stamp=stamp)
    org.land("Account")

    assert agrees(org, "Account")


@pytest.mark.parametrize("is_hard", [False, True])
def test_f06_a_deleted_row_is_deleted_in_the_next_run(org: Org, *, is_hard: bool) -> None:
    """F06: into the recycle bin, or past it."""
    org.land("Account")
    org.script.delete("Account", keys(org)[0], is_hard=is_hard)
    first, second = org.land("Account"), org.land("Account")

    assert agrees(org, "Account")
    assert (first.landed, second.unchanged) == (1, True)


def test_f06_a_delete_whose_log_was_purged_is_found_by_its_key(org: Org) -> None:
    """F06, F08: the log of deletes no longer reaches back to the last run."""
    org.land("Account")
    gone = keys(org)[0]
    org.script.advance_clock(seconds=120)
    org.script.delete("Account", gone, is_hard=True)
    org.script.advance_clock(seconds=120)
    org.script.forget_deletions(org.sandbox.org.clock.now().isoformat())
    batch = org.land("Account")

    assert agrees(org, "Account")
    assert gone in str(batch.note)


def test_f06_a_row_out_of_sight_is_not_taken_for_deleted(org: Org) -> None:
    """F06: the user may no longer see a row, which is still there."""
    org.land("Account")
    hidden, other = keys(org)[:2]
    org.script.hide_rows("Account", [hidden])
    rename(org, other, "Changed")
    batch = org.land("Account")

    assert hidden in landed("Account")
    assert "can no longer be seen" in str(batch.note)
    assert hidden in str(batch.note)


def test_f07_f08_a_connection_that_slept_for_months_catches_up_by_key(org: Org) -> None:
    """F07, F08: the list of changes and the log of deletes have both expired."""
    org.land("Account")
    gone, changed = keys(org)[:2]
    org.script.delete("Account", gone, is_hard=True)
    rename(org, changed, "Changed long ago")
    org.script.advance_clock(seconds=90 * 86400)
    org.land("Account")

    assert agrees(org, "Account")
    assert org.land("Account").unchanged


def test_f09_rows_beyond_a_silent_cap_are_read_all_the_same(org: Org) -> None:
    """F09: the server says that it is done while it has more."""
    org.script.rule(result_cap=5)
    batch = org.land("Account")

    assert batch.refusal is None
    assert agrees(org, "Account")


def test_f10_a_page_that_leads_to_itself_ends_the_run_with_a_reason(org: Org) -> None:
    """F10: the same page for ever."""
    org.script.rule(page_size=5, is_page_stuck=True)
    batch = org.land("Account")

    assert "never end" in str(batch.refusal)
    org.script.rule(is_page_stuck=False)
    assert org.land("Account").refusal is None
    assert agrees(org, "Account")


def test_f11_rows_that_pages_repeat_land_once(org: Org) -> None:
    """F11: a page begins with the last rows of the one before."""
    org.script.rule(page_size=5, repeated_rows=2)
    org.land("Account")

    assert agrees(org, "Account")
    assert raw_count("Account") == 12


@pytest.mark.parametrize("cut_at", [0.5, 0.9, 25])
def test_f15_a_page_that_breaks_off_is_asked_for_again(org: Org, cut_at: float) -> None:
    """F15: the connection ends in the middle of a body."""
    org.script.fault(path="query", cut_at=cut_at, skip=1)
    org.land("Account")

    assert agrees(org, "Account")
    assert raw_count("Account") == 12


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (406, "", ""),
        (420, "<html>We are setting things up</html>", "text/html"),
        (503, "<html>busy</html>", "text/html"),
        (200, "<html><title>Login</title></html>", "text/html"),
        (500, '[{"errorCode":"UNKNOWN_EXCEPTION","message":"x"}]', "application/json"),
    ],
)
def test_f16_answers_that_are_none_are_asked_for_again(
    org: Org, status: int, body: str, kind: str
) -> None:
    """F16: empty, HTML and login pages where JSON should be."""
    headers = {"content-type": kind} if kind else {}
    org.script.fault(path="query", status=status, body=body, headers=headers, skip=1)
    org.land("Account")

    assert agrees(org, "Account")


def test_f17_a_full_day_stops_the_run_cleanly_and_the_next_day_goes_on(org: Org) -> None:
    """F17: the calls of the day are used up; what is kept for others is not touched."""
    org.script.rule(page_size=2)
    org.script.quota(9, within_seconds=86400)
    stopped = org.land("Account")
    assert "stopped early" in str(stopped.note)
    assert 0 < stopped.landed < 12

    org.script.quota(10_000)
    rest = org.land("Account")
    assert stopped.landed + rest.landed == 12
    assert agrees(org, "Account")


def test_f17_a_day_without_a_single_call_left_is_no_failure(org: Org) -> None:
    """F17: nothing could be asked; the run says so and the next one does its work."""
    org.script.quota(0, within_seconds=86400)
    assert "stopped early" in str(org.land("Account").note)

    org.script.quota(10_000)
    org.land("Account")
    assert agrees(org, "Account")


def test_f17_a_busy_moment_is_waited_for(org: Org) -> None:
    """F17: too many requests at once are told from too many a day by their message."""
    busy = (
        '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":'
        '"ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]'
    )
    kind = {"content-type": "application/json"}
    org.script.fault(path="query", status=403, body=busy, headers=kind)
    batch = org.land("Account")

    assert (batch.refusal, batch.note) == (None, None)
    assert agrees(org, "Account")


def test_f18_a_session_that_ends_midway_is_renewed_once(org: Org) -> None:
    """F18: the token is no longer taken at some page."""
    org.script.rule(page_size=4)
    org.land("Account")
    ended = '[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]'
    kind = {"content-type": "application/json"}
    org.script.fault(path="query", status=401, body=ended, headers=kind, skip=2)
    org.calls()
    org.land("Account", full=True)

    assert len(org.calls("oauth2/token")) == 2
    assert agrees(org, "Account")


def test_f18_a_session_that_never_works_fails_after_one_renewal(org: Org) -> None:
    """F18: a 401 that no new token helps against."""
    ended = '[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]'
    kind = {"content-type": "application/json"}
    org.script.fault(path="/services/data", status=401, body=ended, headers=kind, times=99)

    with pytest.raises(NotPermittedError, match="INVALID_SESSION_ID"):
        org.land("Account")
    assert len(org.calls("oauth2/token")) == 2


def test_f25_new_and_retyped_fields_are_recorded_and_landed(org: Org) -> None:
    """F25: the object changes between runs."""
    org.land("Account")
    org.script.add_field("Account", "Region__c")
    org.script.save("Account", keys(org)[0], {"Region__c": "North"})
    batch = org.land("Account")

    assert [(one.column, one.change) for one in batch.drift] == [("Region__c", "new")]
    assert landed("Account")[keys(org)[0]]["Region__c"] == "North"


def test_f25_a_hidden_field_refuses_the_object_instead_of_emptying_it(org: Org) -> None:
    """F25: field security takes a field away that the mapping reads."""
    org.land("Account")
    org.script.hide_field("Account", "Phone")
    rename(org, keys(org)[0], "Changed")
    refused = org.land("Account")
    assert "no longer shows Phone" in str(refused.refusal)
    assert raw_count("Account") == 12

    org.script.hide_field("Account", "Phone", is_hidden=False)
    assert org.land("Account").refusal is None
    assert agrees(org, "Account", "Name", "Phone")


def test_f25_the_loss_of_a_field_can_be_accepted(org: Org) -> None:
    org.land("Account")
    org.script.hide_field("Account", "Phone")
    org.options["without_fields"] = "Account.Phone"
    batch = org.land("Account")

    assert batch.refusal is None
    assert ("Phone", "missing") in [(one.column, one.change) for one in batch.drift]


def test_f27_a_full_run_brings_values_that_change_without_a_stamp(org: Org) -> None:
    """F27: formulas change what a row shows, not when it changed."""
    org.land("Account")
    org.script.change_silently("Account", keys(org)[0], {"Name": "Computed"})
    org.land("Account", full=True)

    assert agrees(org, "Account")


def test_an_undeleted_row_lives_again(org: Org) -> None:
    org.land("Account")
    back = keys(org)[0]
    org.script.delete("Account", back)
    org.land("Account")
    assert back not in landed("Account")

    org.script.advance_clock(seconds=5)
    org.script.undelete("Account", back)
    org.land("Account")
    assert agrees(org, "Account")
    assert org.land("Account").unchanged


def test_a_merged_row_names_the_one_that_took_its_place(org: Org) -> None:
    org.land("Account")
    master, loser = keys(org)[:2]
    org.script.merge("Account", master, loser)
    org.land("Account")

    assert agrees(org, "Account")
    merged = query(
        "select merged_into_id from raw.accounts where account_id = %s and is_deleted = 'true'",
        loser,
    )
    assert merged == [(master,)]


def test_the_census_names_and_fetches_rows_that_the_source_withholds(org: Org) -> None:
    withheld = keys(org)[:2]
    org.script.withhold_rows("Account", withheld)
    batch = org.land("Account")

    assert agrees(org, "Account")
    assert all(key in str(batch.note) for key in withheld)
    org.calls()
    assert org.land("Account").unchanged


def test_a_custom_object_is_read_by_name(org: Org) -> None:
    org.options["objects"] = "Rebate_Agreement__c"
    key = org.sandbox.org.next_key("Rebate_Agreement__c")
    org.script.save("Rebate_Agreement__c", key, {"Name": "Two per cent", "Percent__c": 2.0})
    org.land("Rebate_Agreement__c")

    assert landed("Rebate_Agreement__c")[key]["Percent__c"] == 2.0


def test_an_object_that_is_not_there_is_refused_when_it_was_asked_for_by_name(org: Org) -> None:
    org.options["objects"] = "Nothing__c"
    assert "no object Nothing__c" in str(org.land("Nothing__c").refusal)


def test_secrets_reach_neither_errors_nor_tables(org: Org) -> None:
    """F18: what signs in shows nowhere."""
    org.land("Account")
    secret = org.sandbox.credentials["client_secret"]
    org.options["client_secret"] = "not-the-secret"
    with pytest.raises(SourceRefusedError, match="invalid client credentials") as raised:
        org.land("Account")
    assert "not-the-secret" not in str(raised.value)
    tables = ("ops.cursors", "ops.calls", "ops.rejects", "ops.batches")
    texts = itertools.chain.from_iterable(query(f"select t::text from {one} t") for one in tables)
    assert not any(secret in text for (text,) in texts)


def test_what_a_run_cost_is_in_the_ledger_of_calls(org: Org) -> None:
    org.land("Account")
    made = len(org.calls())
    assert query("select sum(calls) from ops.calls where connection = 'crm'") == [(made,)]


def test_a_query_whose_cursor_is_gone_goes_on_where_it_was(org: Org) -> None:
    org.script.rule(page_size=4)
    gone = '[{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]'
    kind = {"content-type": "application/json"}
    org.script.fault(path="/query/0r8", status=400, body=gone, headers=kind, skip=1)
    org.land("Account")

    assert agrees(org, "Account")
    assert raw_count("Account") == 12


def test_a_query_that_takes_too_long_is_halved_and_both_halves_are_read(org: Org) -> None:
    late = (
        '[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]'
    )
    kind = {"content-type": "application/json"}
    org.script.fault(path="ORDER", status=400, body=late, headers=kind, times=3)
    org.land("Account")

    assert agrees(org, "Account")
    assert raw_count("Account") == 12


def test_more_changes_than_are_listed_are_read_all_the_same(org: Org) -> None:
    org.land("Account")
    org.script.set_limits(most_ids=2)
    for key in keys(org)[:5]:
        rename(org, key, f"Changed {key}")
    org.script.advance_clock(seconds=3600)
    batch = org.land("Account")

    assert batch.landed == 5
    assert agrees(org, "Account")


def test_a_new_needed_field_has_the_object_read_again(org: Org) -> None:
    """F25: a field that the mapping reads becomes readable after the first run."""
    org.options["without_fields"] = "Account.Phone"
    org.land("Account")
    del org.options["without_fields"]
    org.land("Account")

    assert agrees(org, "Account", "Phone")
