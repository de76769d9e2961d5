"""Failures of real connectors, injected into Business Central: the truth, or a reason why not.

Those of F01 to F34 that are not here are in the other tests of Business Central; docs/failures.md
lists them all.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from flows.core.errors import UnbalancedError
from flows.core.warehouse import connect
from flows.sandbox.vendors.shared.replies import Reply
from tests.fixtures.business_central import Tenant, agrees, landed, raw_count

JSON = {"content-type": "application/json"}


def rename(tenant: Tenant, key: str, name: str, **options: Any) -> None:
    tenant.script.save("DK01", "customers", key, {"displayName": name}, **options)


def refusing(tenant: Tenant, code: str, message: str, path: str, **fault: Any) -> None:
    body = json.dumps({"error": {"code": code, "message": f"{message}  CorrelationId:  1-2-3."}})
    tenant.script.fault(path=path, body=body, headers=JSON, **{"status": 400, **fault})


@pytest.fixture
def far_zone(new_tenant: Tenant) -> Iterator[Tenant]:
    """Read from a machine that stands in California."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/Los_Angeles")
        time.tzset()
        yield new_tenant
    time.tzset()


def test_f04_rows_older_than_any_start_date_are_read(new_tenant: Tenant) -> None:
    """F04: two of five rows have not been touched for years, one never."""
    for key in new_tenant.ids()[:5]:
        rename(new_tenant, key, f"Old {key[:8]}", stamp="2009-05-17T08:00:00+00:00")
    rename(new_tenant, new_tenant.ids()[5], "Never", stamp="0001-01-01T00:00:00+00:00")
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers", "displayName")
    assert new_tenant.land("customers").unchanged


def test_rows_without_a_date_of_change_are_read_whole(new_tenant: Tenant) -> None:
    for key in new_tenant.ids():
        rename(new_tenant, key, f"Never {key[:8]}", stamp="0001-01-01T00:00:00+00:00")
    assert new_tenant.land("customers").refusal is None
    assert agrees(new_tenant, "customers", "displayName")
    assert new_tenant.land("customers").unchanged


@pytest.mark.parametrize(("status", "code"), [(400, "BadRequest"), (410, "Gone")])
def test_f07_a_link_that_has_expired_has_the_list_read_on_from_there(
    new_tenant: Tenant, status: int, code: str
) -> None:
    """F07: the token of the next page is no longer known; there are no delta tokens any more."""
    new_tenant.script.rule(page_size=4)
    refusing(new_tenant, code, "The skip token is not valid.", "skiptoken", status=status, skip=1)
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers")
    assert raw_count("customers", new_tenant.name) == 12


def test_f07_f08_a_connection_that_slept_for_months_catches_up(new_tenant: Tenant) -> None:
    """F07, F08: whatever happened in between, deletes included."""
    new_tenant.land("customers")
    gone, changed = new_tenant.ids()[:2]
    new_tenant.script.delete("DK01", "customers", gone)
    rename(new_tenant, changed, "Changed long ago")
    new_tenant.script.advance_clock(seconds=90 * 86400)
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers", "displayName")
    assert new_tenant.land("customers").unchanged


def test_f08_a_resync_after_the_state_was_lost_leaves_no_ghosts(new_tenant: Tenant) -> None:
    """F08: five records are deleted in a gap that nobody remembers."""
    new_tenant.land("customers")
    for key in new_tenant.ids()[:5]:
        new_tenant.script.delete("DK01", "customers", key)
    with connect() as warehouse:
        warehouse.execute("delete from ops.cursors where connection = %s", (new_tenant.name,))
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers")
    assert new_tenant.land("customers").unchanged


def test_f11_a_row_that_is_deleted_between_two_pages_takes_no_other_with_it(
    new_tenant: Tenant,
) -> None:
    """F11: the rows behind it move up by one."""
    new_tenant.script.rule(page_size=4)
    where = {"company": "DK01", "table": "customers", "key": new_tenant.ids()[0]}
    new_tenant.script.when("skiptoken", "delete", where)
    new_tenant.land("customers")
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers")


def test_f12_a_relative_link_begins_where_its_page_lies(new_tenant: Tenant) -> None:
    """F12: the next page is given without the host and the path before it."""
    new_tenant.script.rule(page_size=4)
    company = f"{new_tenant.config.options['api_url']}/companies("
    start = f'"@odata.nextLink":"{company}'
    identity = next(iter(new_tenant.sandbox.tenant.companies))
    relative = [(f"{start}{identity})/customers", '"@odata.nextLink":"customers')]
    new_tenant.script.fault(path="/customers", replace=relative, times=99)
    assert new_tenant.land("customers").refusal is None
    assert agrees(new_tenant, "customers")
    asked = new_tenant.calls("skiptoken")
    assert asked
    assert all(f"companies({identity})/customers?" in one for one in asked)


def test_f13_a_link_that_is_taken_away_does_not_end_the_list(new_tenant: Tenant) -> None:
    """F13: what looks like the last page is not, by the list's own count."""
    new_tenant.script.rule(page_size=5)
    taken = [('"@odata.nextLink"', '"@odata.none"')]
    new_tenant.script.fault(path="/customers", replace=taken, times=99)
    batch = new_tenant.land("customers")
    assert batch.refusal is None
    assert agrees(new_tenant, "customers")


def test_f13_without_links_and_counts_the_census_ends_the_run(new_tenant: Tenant) -> None:
    """F13: nothing in the lists says that there is more; the number of records does."""
    new_tenant.script.rule(page_size=5)
    taken = [('"@odata.nextLink"', '"@odata.none"'), ('"@odata.count"', '"@odata.nothing"')]
    new_tenant.script.fault(path="/customers", replace=taken, times=99)
    with pytest.raises(UnbalancedError, match="counts 12 rows, but lists only 5"):
        new_tenant.land("customers")

    new_tenant.script.clear_faults()
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers")


def test_f14_texts_land_byte_for_byte(new_tenant: Tenant) -> None:
    """F14: emoji, line ends, quotes, long texts, words that look like nothing, exact amounts."""
    texts = ["NA", "null", "🚀 Ærø", 'a "b" \\ c', "one\r\ntwo", "x" * 1_000_000, "0.0", "}],[{"]
    for key, text in zip(new_tenant.ids(), texts, strict=False):
        values = {"displayName": text, "creditLimit": 1234567890123.45}
        new_tenant.script.save("DK01", "customers", key, values)
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers", "displayName", "creditLimit")

    nul = new_tenant.ids()[-1]
    rename(new_tenant, nul, "a\0b")
    batch = new_tenant.land("customers")
    assert batch.rejected == 0
    assert landed("customers", new_tenant.name)[f"DK01|{nul}"]["displayName"] == "a\ufffdb"


def test_f19_a_filter_that_is_refused_is_no_success_without_rows(new_tenant: Tenant) -> None:
    """F19: a date that the server cannot read is an error, and the state stays where it was."""
    new_tenant.land("customers")
    rename(new_tenant, new_tenant.ids()[0], "Changed")
    refusing(
        new_tenant, "BadRequest", "Unable to convert value to Date", "batch|customers", times=9
    )
    assert "Unable to convert" in str(new_tenant.land("customers").refusal)

    new_tenant.script.clear_faults()
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers", "displayName")


def test_f20_changes_in_the_evening_and_in_the_hour_that_comes_twice_are_read(
    far_zone: Tenant,
) -> None:
    """F20: days end elsewhere, and clocks go back; bounds are moments."""
    tenant = far_zone
    tenant.script.set_clock("2026-11-01T07:50:00+00:00")
    tenant.land("customers")
    for key, moment in zip(
        tenant.ids(),
        ("2026-11-01T01:30:00-07:00", "2026-11-01T01:30:00-08:00", "2026-11-01T23:30:00-08:00"),
        strict=False,
    ):
        tenant.script.set_clock(moment)
        rename(tenant, key, f"At {moment}")
        tenant.land("customers")
    assert agrees(tenant, "customers", "displayName")


def test_f21_a_batch_whose_reply_was_lost_is_asked_again(new_tenant: Tenant) -> None:
    """F21: it only reads, so that asking twice does no harm."""
    new_tenant.land("customers")
    rename(new_tenant, new_tenant.ids()[0], "Changed")
    new_tenant.script.inject("F21_write_retry_duplicates")
    assert new_tenant.land("customers").landed == 1
    assert agrees(new_tenant, "customers", "displayName")


@pytest.mark.parametrize("status", [429, 500, 404])
def test_f22_a_part_of_a_batch_that_failed_is_asked_for_by_itself(
    new_tenant: Tenant, status: int
) -> None:
    """F22: 200 for the whole, an error for each of its parts."""

    def failing(reply: Reply) -> Reply:
        body = json.loads(reply.body)
        for one in body["responses"]:
            one.update(status=status, body={"error": {"code": "Unknown", "message": "part"}})
        headers = {name: text for name, text in reply.headers.items() if "ength" not in name}
        return replace(reply, body=json.dumps(body).encode(), headers=headers)

    new_tenant.land("customers")
    rename(new_tenant, new_tenant.ids()[0], "Changed")
    new_tenant.script.fault(path="batch", change=failing, times=9)
    batch = new_tenant.land("customers")
    assert (batch.refusal, batch.landed) == (None, 1)
    assert agrees(new_tenant, "customers", "displayName")


def test_f23_a_locked_record_is_waited_for(new_tenant: Tenant) -> None:
    """F23: somebody else holds the table; that passes."""
    said = "The operation could not complete because a record was locked by another user."
    refusing(new_tenant, "Application_DialogException", said, "/customers", skip=1)
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers")
    assert raw_count("customers", new_tenant.name) == 12


def test_f24_a_value_that_was_cleared_lands_as_cleared(new_tenant: Tenant) -> None:
    """F24: an empty text is a value, not the absence of one."""
    name, row = next(
        (key, row) for key, row in new_tenant.truth("customers").items() if row.get("displayName")
    )
    new_tenant.land("customers")
    new_tenant.script.save("DK01", "customers", row["id"], {"displayName": ""})
    new_tenant.land("customers")
    assert landed("customers", new_tenant.name)[name]["displayName"] == ""
    assert agrees(new_tenant, "customers", "displayName")


def test_f25_a_property_of_another_type_is_recorded(new_tenant: Tenant) -> None:
    """F25: the same name, another kind of value; and one that is gone."""
    new_tenant.script.add_field("customers", "score", "string")
    new_tenant.land("customers")
    new_tenant.script.add_field("customers", "score", "decimal")
    new_tenant.script.save("DK01", "customers", new_tenant.ids()[0], {"score": 1.5})
    batch = new_tenant.land("customers")
    assert [(one.column, one.change) for one in batch.drift] == [("score", "retyped")]
    assert agrees(new_tenant, "customers", "score")

    new_tenant.script.remove_field("customers", "score")
    gone = new_tenant.land("customers")
    assert [(one.column, one.change) for one in gone.drift] == [("score", "missing")]


def test_f28_filters_that_are_passed_over_change_nothing(new_tenant: Tenant) -> None:
    """F28: the whole table comes back instead of what changed."""
    new_tenant.land("customers")
    rename(new_tenant, new_tenant.ids()[0], "Changed")
    new_tenant.script.advance_clock(seconds=86400)
    rename(new_tenant, new_tenant.ids()[1], "Changed a day later")
    new_tenant.script.ignore_filters()
    assert new_tenant.land("customers").landed == 2
    assert agrees(new_tenant, "customers", "displayName")
    assert new_tenant.land("customers").unchanged


def test_a_full_run_twice_lands_nothing_new_that_differs(new_tenant: Tenant) -> None:
    """A backfill of everything leaves the same truth as before, and so does the next one."""
    new_tenant.land("customers")
    gone = new_tenant.ids()[0]
    new_tenant.script.delete("DK01", "customers", gone)
    for _ in range(2):
        new_tenant.land("customers", full=True)
        assert agrees(new_tenant, "customers", "displayName")
    assert new_tenant.land("customers").unchanged


def test_a_record_that_comes_back_lives_again(new_tenant: Tenant) -> None:
    """Business Central has no bin; a restored record has its id again."""
    new_tenant.land("customers")
    back = new_tenant.ids()[0]
    values = new_tenant.script.truth()["DK01/customers"][back]
    new_tenant.script.delete("DK01", "customers", back)
    new_tenant.land("customers")
    assert f"DK01|{back}" not in landed("customers", new_tenant.name)

    new_tenant.script.advance_clock(seconds=5)
    new_tenant.script.save("DK01", "customers", back, values)
    new_tenant.land("customers")
    assert agrees(new_tenant, "customers", "displayName")
    assert new_tenant.land("customers").unchanged
