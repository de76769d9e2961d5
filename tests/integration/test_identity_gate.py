"""The gate on who is who: clusters, merges and splits against what is published, clashes."""

import pytest

from flows.core.warehouse import connect
from flows.gates import Verdict, judge, markdown
from tests.fixtures.identity import add_record, assign, create_identity, fetch, run
from tests.fixtures.marts import start_run

pytestmark = pytest.mark.usefixtures("warehouse")
COMPANIES = 400


def companies(count: int = COMPANIES) -> None:
    """Hold one account and one customer under each id."""
    run(
        "insert into identity.customer_ids (customer_id, created_run_id) "
        f"select 'C' || n, 1 from generate_series(1, {count}) as n"
    )
    run(
        "insert into identity.customer_crosswalk (customer_id, source_system, entity, source_key, "
        "method, probability, version, valid_from) select 'C' || n, system, entity, n, 'key', 1, "
        f"1, now() - interval '1 day' from generate_series(1, {count}) as n, "
        "(values ('crm', 'accounts'), ('erp', 'customers')) as place (system, entity)"
    )


def publish() -> None:
    """Make what holds now the published state."""
    run("update ops.publications set is_live = false where is_live")
    run(
        "insert into ops.publications (slot, version, kind, published_at) "
        "values ('a', 0, 'publish', clock_timestamp())"
    )


def move(condition: str, held_id: str) -> None:
    """Give the records that meet a condition an id, from now on."""
    with connect() as connection:
        connection.execute(
            (
                "with closed as (update identity.customer_crosswalk set valid_to = now() "
                f"where is_current and {condition} returning *) "
                "insert into identity.customer_crosswalk (customer_id, source_system, entity, "
                "source_key, method, probability, version) "
                f"select {held_id}, source_system, entity, source_key, 'key', 1, 2 from closed"
            ).encode()
        )


def verdict() -> Verdict:
    return judge("identity", run_id=start_run())


def outcomes(found: Verdict) -> dict[str, str]:
    return {
        f"{result.suite.removeprefix('identity__')} {result.rule}": result.outcome
        for result in found.results
        if result.outcome != "pass"
    }


def test_a_first_run_is_not_refused_for_being_new() -> None:
    companies()
    assert outcomes(verdict()) == {}


def test_many_merges_against_what_is_published_are_refused_and_listed() -> None:
    companies()
    publish()
    move("source_key::int between 11 and 50", "'C' || (source_key::int - 10)")
    found = verdict()
    assert outcomes(found) == {"customers few_are_merged": "block"}
    assert found.reasons == (
        "identity__customers, few_are_merged: 10.0% of the rows fail (80 of 800), more than 5.0%.",
    )
    assert "review-matches" in markdown(found)
    assert fetch("select count(*), min(entity) from ops.failures") == [(80, "customers")]
    assert fetch("select outcome from ops.verdicts where rule = 'few_are_merged' order by 1") == [
        ("block",),
        ("pass",),
        ("pass",),
    ]


def test_a_few_merges_are_noted() -> None:
    companies()
    publish()
    move("source_key::int between 11 and 20", "'C' || (source_key::int - 10)")
    assert outcomes(verdict()) == {"customers few_are_merged": "note"}


def test_merges_that_are_published_do_not_count_again() -> None:
    companies()
    publish()
    move("source_key::int between 11 and 50", "'C' || (source_key::int - 10)")
    publish()
    assert outcomes(verdict()) == {}


def test_merges_that_were_undone_before_publication_do_not_count() -> None:
    companies()
    publish()
    move("source_key::int between 11 and 50", "'C' || (source_key::int - 10)")
    move("source_key::int between 11 and 50", "'C' || source_key")
    assert outcomes(verdict()) == {}


def test_many_splits_against_what_is_published_are_refused() -> None:
    companies(COMPANIES + 100)
    publish()
    run("delete from identity.customer_crosswalk where source_key::int > 400")
    move("source_system = 'erp' and source_key::int <= 50", "'C' || (source_key::int + 400)")
    assert outcomes(verdict()) == {"customers few_are_split": "block"}


def test_new_and_vanished_records_are_neither_merges_nor_splits() -> None:
    companies()
    publish()
    run("update identity.customer_crosswalk set valid_to = now() where source_key::int > 200")
    create_identity()
    for number in range(5):
        add_record(f"old|customers|x{number}", "C1")
    assert outcomes(verdict()) == {}


def test_a_few_strangers_under_one_id_are_noted_and_many_are_refused() -> None:
    companies()
    move("source_key::int between 1 and 20", "'C1'")
    assert outcomes(verdict()) == {"customers cluster_is_small": "note"}
    move("source_key::int between 1 and 60", "'C1'")
    found = verdict()
    assert outcomes(found) == {
        "customers cluster_is_small": "note",
        "customers cluster_is_not_too_large": "block",
    }
    assert "15.0% of the rows fail (120 of 800)" in found.reasons[0]


def test_key_clashes_are_noted_or_refused_unless_a_person_ruled_on_them() -> None:
    companies()
    run(
        "create table identity.customer_key_clashes as select 'crm|accounts|' || n as left_record, "
        "'erp|customers|' || n as right_record, 'tax_id' as rule, 'the names differ' as reason "
        "from generate_series(1, 30) as n"
    )
    assert outcomes(verdict()) == {"customers keys_do_not_clash": "block"}
    assert fetch("select source_key from ops.failures order by source_key::int limit 1") == [("1",)]
    run(
        "insert into ops.decisions (domain, left_record, right_record, ruling) select 'customers', "
        "left_record, right_record, 'different' from identity.customer_key_clashes limit 20"
    )
    assert outcomes(verdict()) == {"customers keys_do_not_clash": "note"}


def test_a_record_without_an_id_is_refused() -> None:
    companies()
    create_identity()
    add_record("crm|accounts|lost", name="Lost")
    assert outcomes(verdict()) == {"customers record_has_an_id": "block"}
    assign("crm|accounts|lost", "C1")
    assert outcomes(verdict()) == {}


def test_a_block_that_was_too_large_is_a_warning() -> None:
    companies(3)
    run(
        "insert into identity.refused_blocks values "
        "('customers', 1, 'phone', '+4700000000', 900, 404550, 'too many', 1)"
    )
    assert outcomes(verdict()) == {"refused_blocks no_block_is_refused": "note"}


def test_judging_the_same_run_again_replaces_what_was_recorded() -> None:
    companies()
    publish()
    move("source_key::int between 11 and 50", "'C' || (source_key::int - 10)")
    run_id = start_run()
    judge("identity", run_id=run_id)
    judge("identity", run_id=run_id)
    assert fetch("select count(*) from ops.failures") == [(80,)]
