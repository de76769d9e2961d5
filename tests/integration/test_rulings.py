"""Rulings of people: what they may write, what is in force, and when they are asked again."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from flows.cli.main import main
from flows.core.dbt import run_dbt
from flows.core.errors import RulingsError
from flows.core.warehouse import connect
from flows.identity.review import doubtful_pairs
from flows.identity.review_file import export_doubtful
from flows.identity.review_page import page
from flows.identity.rulings import (
    Ruling,
    are_unapplied,
    in_warehouse,
    reopen_changed,
    taking_effect,
)
from flows.identity.rulings_file import export_rulings, import_rulings
from tests.fixtures.identity import (
    add_record,
    add_score,
    assign,
    create_identity,
    fetch,
    run,
    write_customers_mart,
)
from tests.fixtures.marts import person

STEWARD = (
    "insert into ops.decisions (domain, left_record, right_record, ruling) values (%s, %s, %s, %s)"
)
ONE, OTHER = "crm|accounts|a1", "erp|customers|c1"


def rule(left: str, right: str, ruling: str, domain: str = "customers") -> None:
    with connect() as connection:
        connection.execute(STEWARD, (domain, left, right, ruling))


def in_force() -> list[tuple[Any, ...]]:
    return fetch("select left_record, right_record, ruling from identity.active_rulings order by 1")


def test_a_later_ruling_replaces_the_one_before_and_nothing_is_forgotten(warehouse: str) -> None:
    rule(ONE, OTHER, "same")
    rule(OTHER, ONE, "different")
    assert in_force() == [(ONE, OTHER, "different")]
    rule(ONE, OTHER, "unsure")
    assert in_force() == []
    assert fetch("select ruling, status from ops.decisions order by decision_id") == [
        ("same", "replaced"),
        ("different", "replaced"),
        ("unsure", "active"),
    ]


def test_a_steward_writes_decisions_and_nothing_else(warehouse: str) -> None:
    with person(warehouse, "concord_steward") as steward:
        name = psycopg.conninfo.conninfo_to_dict(steward)["user"]
        with psycopg.connect(steward) as connection:
            connection.execute(STEWARD, ("customers", ONE, OTHER, "same"))
            connection.execute(STEWARD, ("customers", ONE, OTHER, "different"))
        assert fetch("select decided_by, entered_by, status from ops.decisions order by 3") == [
            (name, name, "active"),
            (name, name, "replaced"),
        ]
        for forbidden in (
            "update ops.decisions set ruling = 'same'",
            "delete from ops.decisions",
            (
                "insert into ops.decisions (domain, left_record, right_record, ruling, entered_by) "
                "values ('customers', 'a', 'b', 'same', 'somebody else')"
            ),
            "select * from identity.customer_crosswalk",
            "select * from ops.runs",
            "insert into identity.keep_apart values ('customers', 'a', 'b', null)",
        ):
            with (
                psycopg.connect(steward) as connection,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                connection.execute(forbidden.encode())


def test_what_the_rules_keep_apart_stands_above_every_ruling(warehouse: str) -> None:
    rule(ONE, OTHER, "same")
    rule(ONE, "erp|customers|c2", "same")
    run_dbt(["seed", "--select", "keep_apart"])
    with connect() as connection:
        connection.execute(
            "insert into staging.keep_apart values "
            "('customers', 'erp', 'c1', 'crm', 'a1', 'one group'), "
            "('products', 'erp', 'p1', 'crm', 'p1', 'old and new')"
        )
        connection.execute("select identity.fill_keep_apart()")
        connection.execute("select identity.fill_keep_apart()")
    assert (ONE, OTHER, "different") in in_force()
    assert (ONE, OTHER, "same") not in in_force()
    assert (ONE, "erp|customers|c2", "same") in in_force()
    assert ("crm|products|p1", "erp|products|p1", "different") in in_force()


def test_loading_the_seeds_takes_over_what_is_kept_apart(warehouse: str) -> None:
    with connect() as connection:
        connection.execute("insert into identity.keep_apart values ('customers', 'a', 'b', 'old')")
    run_dbt(["seed", "--select", "keep_apart"])
    assert fetch("select * from identity.keep_apart") == []


@pytest.fixture
def records(warehouse: str) -> None:
    create_identity()
    add_record(ONE, "C1", name="Møller AS", city="Oslo", phones=["+4712345678"])
    add_record("crm|accounts|a2", "C2", name="Fjord | Sea", city="Bergen")
    add_record(OTHER, "C3", name="Moeller", city="Oslo", tax_id="NO1")
    add_record("erp|customers|c2", "C4", name="Fjord Sea ASA", city="Bergen")


def reopen() -> int:
    with connect() as connection:
        return reopen_changed(connection)


def said(left: str = ONE, right: str = OTHER, ruling: str = "same", reason: str = "") -> int:
    given = Ruling("customers", left, right, ruling, "Kari", reason)  # type: ignore[arg-type]
    return in_warehouse([given], through="form")


@pytest.mark.usefixtures("records")
def test_a_ruling_is_asked_again_when_the_compared_values_change_and_holds_until_then() -> None:
    said()
    assert reopen() == 0
    add_record(ONE, name="Møller AS", city="Oslo", phones=["+4712345678"], version=9)
    assert reopen() == 0
    add_record(ONE, name="Møller AS", city="Tromsø")
    assert (reopen(), reopen()) == (1, 0)
    assert fetch("select status from ops.decisions") == [("reopened",)]
    assert in_force() == [(ONE, OTHER, "same")]
    with connect() as connection:
        (doubt,) = doubtful_pairs(connection).doubts
    assert doubt.earlier is not None
    assert "Oslo" in page([doubt], 1)
    said(ruling="different")
    assert reopen() == 0
    assert in_force() == [(ONE, OTHER, "different")]


@pytest.mark.usefixtures("records")
def test_a_ruling_whose_values_are_back_as_they_were_is_not_asked_again() -> None:
    said()
    add_record(OTHER, name="Moeller", city="Oslo", tax_id="NO2")
    assert reopen() == 1
    add_record(OTHER, name="Moeller", city="Oslo", tax_id="NO1")
    assert reopen() == 0
    assert fetch("select status from ops.decisions") == [("active",)]


@pytest.mark.usefixtures("records")
def test_a_ruling_typed_in_by_hand_is_compared_from_the_next_look_on() -> None:
    rule(ONE, OTHER, "same")
    assert reopen() == 0
    assert fetch("select compared -> 'right' ->> 'tax_id' from ops.decisions") == [("NO1",)]
    add_record(OTHER, name="Moeller", city="Oslo", tax_id="NO2")
    assert reopen() == 1


@pytest.mark.usefixtures("records")
def test_a_ruling_on_a_record_that_vanished_waits_for_its_return() -> None:
    said()
    run("delete from identity.customer_records where record = 'erp|customers|c1'")
    assert reopen() == 0
    assert in_force() == [(ONE, OTHER, "same")]


@pytest.mark.usefixtures("records")
def test_the_same_ruling_again_writes_nothing_and_another_one_replaces_it() -> None:
    assert (said(), said(), said(ruling="unsure"), said()) == (1, 0, 1, 1)


@pytest.mark.usefixtures("records")
def test_rulings_are_unapplied_until_the_ids_were_assigned_by_them() -> None:
    with connect() as connection:
        assert not are_unapplied(connection)
    said(ruling="unsure")
    with connect() as connection:
        assert not are_unapplied(connection)
    said()
    with connect() as connection:
        assert are_unapplied(connection)
    with taking_effect():
        pass
    with connect() as connection:
        assert not are_unapplied(connection)
    with taking_effect():
        said(ruling="different")
    with connect() as connection:
        assert are_unapplied(connection)


@pytest.mark.usefixtures("records")
def test_doubtful_pairs_come_most_valuable_first_with_what_is_known() -> None:
    add_score(ONE, OTHER, 0.9, name=3.25, city=-1.5)
    add_score("crm|accounts|a2", "erp|customers|c2", 0.6, name=1)
    add_score(ONE, "erp|customers|c2", 0.96, name=1)
    write_customers_mart(C1=10, C3=5, C2=100)
    with connect() as connection:
        batch = doubtful_pairs(connection)
        first, second = batch.doubts
        assert [one.left_record for one in (first, second)] == ["crm|accounts|a2", ONE]
        assert (first.value, second.value, batch.waiting) == (100, 15, 2)
        one_of_two = doubtful_pairs(connection, limit=1)
        assert (len(one_of_two.doubts), one_of_two.waiting) == (1, 2)
        (rest,) = doubtful_pairs(connection, seen=[first.pair]).doubts
        assert rest == second
    shown = page(batch.doubts, batch.waiting)
    assert "Møller AS, Oslo" in shown
    assert "Fjord &#124; Sea" in shown
    assert "| name | nearly the same | +3.2 | speaks for it ███ |" in shown
    assert "| tax id |  | NO1 |  | NO1 |" in shown


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("settled", ["ruling", "keep_apart", "one id"])
def test_a_pair_that_is_settled_is_not_asked(settled: str) -> None:
    add_score(ONE, OTHER, 0.9)
    if settled == "ruling":
        said(ruling="unsure")
    elif settled == "keep_apart":
        run(f"insert into identity.keep_apart values ('customers', '{ONE}', '{OTHER}', 'group')")
    else:
        assign(OTHER, "C1")
    with connect() as connection:
        assert doubtful_pairs(connection).doubts == ()


@pytest.mark.usefixtures("records")
def test_blocked_links_and_key_clashes_are_asked_with_the_reason() -> None:
    run(
        "insert into identity.blocked_links values "
        f"('customers', '{ONE}', '{OTHER}', 'model', 'splink', 0.99, 'clash', 'NO1 / NO2', 1)"
    )
    run(
        "create table identity.customer_key_clashes as select 'crm|accounts|a2' as left_record, "
        "'erp|customers|c2' as right_record, 'tax_id' as rule, 'names differ' as reason"
    )
    with connect() as connection:
        why = {one.left_record: one.why for one in doubtful_pairs(connection).doubts}
    assert why == {
        ONE: ("linked by splink, but their numbers differ: NO1 / NO2",),
        "crm|accounts|a2": ("the same tax_id, but names differ",),
    }


HEADER = "domain,left_source,left_key,right_source,right_key,ruling,reason,decided_by"


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "rulings.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("records")
def test_rulings_of_a_file_are_taken_over_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "customers,crm,a1,erp,c1,Same,phoned them,Kari",
        ",erp,c2,crm,a2,different,,",
        ",crm,a1,erp,c2,,,",
    )
    done = import_rulings(path, decided_by="Ola")
    assert (done.written, done.unchanged, done.undecided) == (2, 0, 1)
    assert fetch(
        "select left_record, ruling, reason, decided_by, entered_through from ops.decisions "
        "order by left_record"
    ) == [
        (ONE, "same", "phoned them", "Kari", "file"),
        ("crm|accounts|a2", "different", None, "Ola", "file"),
    ]
    again = import_rulings(path, decided_by="Ola")
    assert (again.written, again.unchanged) == (0, 2)


@pytest.mark.usefixtures("records")
def test_a_file_with_one_bad_line_is_refused_as_a_whole_with_every_bad_line_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        "insert into identity.keep_apart "
        "values ('customers', 'crm|accounts|a2', 'erp|customers|c2')"
    )
    path = write(
        tmp_path,
        "customers,crm,a1,erp,c1,same,,Kari",
        ",crm,a1,erp,nobody,same,,Kari",
        ",crm,a1,erp,c2,perhaps,,Kari",
        ",crm,a1,erp,c2,same,,",
        ",crm,a2,erp,c2,same,,Kari",
        ",erp,c1,crm,a1,different,,Kari",
        ",crm,a1,crm,a1,same,,Kari",
        "people,crm,a1,erp,c2,same,,Kari",
    )
    assert main(["rulings", "import", str(path)]) == 2
    told = capsys.readouterr().err
    for line, complaint in {
        3: "erp nobody is not known",
        4: "'perhaps' is no ruling",
        5: "does not say who decided",
        6: "are kept apart",
        7: "an earlier line says same",
        8: "the same record",
        9: "no domain people",
    }.items():
        assert f"line {line}: " in told
        assert complaint in told
    assert "line 2" not in told
    assert fetch("select * from ops.decisions") == []


@pytest.mark.usefixtures("records")
def test_a_key_of_two_records_must_say_which(tmp_path: Path) -> None:
    add_record("erp|accounts|c1", name="Moeller")
    with pytest.raises(RulingsError, match=r"write accounts\|c1 or customers\|c1"):
        import_rulings(write(tmp_path, ",crm,a1,erp,c1,same,,Kari"))
    import_rulings(write(tmp_path, ",crm,a1,erp,customers|c1,same,,Kari"))
    assert in_force() == [(ONE, OTHER, "same")]


@pytest.mark.usefixtures("records")
def test_exported_rulings_and_doubts_can_be_imported(tmp_path: Path) -> None:
    said(reason='phoned, "both" said so')
    path = tmp_path / "all.csv"
    assert main(["rulings", "export", str(path)]) == 0
    query = "select left_record, right_record, ruling, reason, decided_by from ops.decisions"
    before = fetch(query)
    run("delete from ops.decisions")
    import_rulings(path)
    assert fetch(query) == before
    add_score("crm|accounts|a2", "erp|customers|c2", 0.6, name=1)
    assert export_doubtful(path) == 1
    filled = path.read_text("utf-8").replace("customers|c2,,", "customers|c2,same,")
    path.write_text(filled, encoding="utf-8")
    assert import_rulings(path, decided_by="Kari").written == 1
    assert export_rulings(path) == 2


def test_hundreds_of_rulings_are_one_statement_per_domain(warehouse: str, tmp_path: Path) -> None:
    create_identity()
    run(
        "insert into identity.customer_records (record, source_system, entity, source_key, name) "
        "select system || '|accounts|' || n, system, 'accounts', n, 'Company ' || n "
        "from generate_series(1, 600) as n, unnest(array['crm', 'old']) as system"
    )
    path = write(tmp_path, *[f",crm,{n},old,{n},same,,Kari" for n in range(1, 601)])
    assert import_rulings(path).written == 600
    run("update identity.customer_records set name = name || ' AS' where source_key::int > 500")
    assert reopen() == 100
