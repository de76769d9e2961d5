"""`concord evaluate`: the current crosswalk against pairs known to be the same."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from flows.core.errors import EvaluationError
from flows.core.warehouse import connect
from flows.identity.evaluation import evaluate

HEADER = "left_source,left_key,right_source,right_key"


def hold(customer_id: str, *records: str) -> None:
    """Put records, written as system/entity/key, under one customer id."""
    with connect() as connection:
        connection.execute(
            "insert into identity.customer_ids (customer_id, created_run_id) values (%s, 1) "
            "on conflict do nothing",
            (customer_id,),
        )
        for record in records:
            connection.execute(
                "insert into identity.customer_crosswalk (customer_id, source_system, entity, "
                "source_key, method, probability, version) values (%s, %s, %s, %s, 'key', 1, 1)",
                (customer_id, *record.split("/")),
            )


@pytest.fixture
def crosswalk(warehouse: str) -> None:
    with connect() as connection:
        connection.execute(
            "insert into ops.connections (connection, system, kind) "
            "values ('crm', 'files', 'crm'), ('erp', 'files', 'erp'), ('old', 'files', 'erp')"
        )
    hold("C1", "crm/accounts/a1", "crm/accounts/a2", "erp/customers/c1", "old/customers/o1")
    hold("C2", "crm/accounts/a3", "erp/customers/c2")
    hold("C3", "crm/accounts/a4")
    hold("C4", "erp/customers/c4")


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "truth.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("crosswalk")
def test_pairs_between_the_named_systems_count_and_no_others(tmp_path: Path) -> None:
    truth = write(tmp_path, "crm,a1,erp,c1", "crm,a4,erp,c4")
    found = evaluate(truth)
    # a1-c1, a2-c1 and a3-c2 are predicted; pairs inside the CRM and with the old ERP do not count
    assert (found.true_pairs, found.predicted_pairs) == (2, 3)
    assert (found.precision, found.recall, found.f1) == (1 / 3, 1 / 2, 2 / 5)


@pytest.mark.usefixtures("crosswalk")
def test_pairs_inside_one_system_count_when_the_truth_names_such(tmp_path: Path) -> None:
    found = evaluate(write(tmp_path, "crm,a2,crm,a1"))
    assert (found.precision, found.recall, found.predicted_pairs) == (1, 1, 1)


@pytest.mark.usefixtures("crosswalk")
def test_a_true_pair_of_an_unknown_record_is_lost_recall_and_a_repeated_one_counts_once(
    tmp_path: Path,
) -> None:
    found = evaluate(write(tmp_path, "crm,a1,erp,c1", "erp,c1,crm,a1", "crm,nobody,erp,c2"))
    assert (found.true_pairs, found.recall) == (2, 0.5)


@pytest.mark.usefixtures("crosswalk")
def test_an_entity_that_the_truth_never_names_is_not_judged(tmp_path: Path) -> None:
    hold("C5", "erp/accounts/x1", "crm/accounts/a9")
    found = evaluate(write(tmp_path, "crm,a3,erp,c2"))
    assert found.predicted_pairs == 3


def hold_contact(contact_id: str, *records: str) -> None:
    with connect() as connection:
        connection.execute(
            "insert into identity.contact_ids (contact_id, created_run_id) values (%s, 1)",
            (contact_id,),
        )
        for record in records:
            connection.execute(
                "insert into identity.contact_crosswalk (contact_id, source_system, entity, "
                "source_key, method, probability, version) "
                "values (%s, %s, 'contacts', %s, 'key', 1, 1)",
                (contact_id, *record.split("/")),
            )


@pytest.mark.usefixtures("crosswalk")
def test_each_pair_counts_in_the_domain_that_knows_its_records(tmp_path: Path) -> None:
    hold_contact("P1", "crm/p1", "erp/p1", "erp/p2")
    hold_contact("P2", "crm/a3", "erp/p9")
    truth = write(tmp_path, "crm,p1,erp,p1", "crm,a3,erp,c2", "crm,a4,erp,c4")
    found = evaluate(truth)
    # of customers a1-c1, a2-c1, a3-c2; of contacts p1-p1, p1-p2, a3-p9
    assert (found.true_pairs, found.predicted_pairs) == (3, 6)
    assert (found.precision, found.recall) == (2 / 6, 2 / 3)
    contacts = evaluate(truth, "contacts")
    assert (contacts.true_pairs, contacts.predicted_pairs, contacts.recall) == (3, 3, 1 / 3)


@pytest.mark.usefixtures("crosswalk")
def test_what_a_record_was_before_does_not_count(tmp_path: Path) -> None:
    with connect() as connection:
        connection.execute(
            "update identity.customer_crosswalk set valid_to = now() where source_key = 'c2'"
        )
    found = evaluate(write(tmp_path, "crm,a3,erp,c2"))
    assert (found.recall, found.f1) == (0, 0)


@pytest.mark.usefixtures("crosswalk")
def test_a_million_predicted_pairs_are_counted_without_being_made(tmp_path: Path) -> None:
    hold("C9", *[f"crm/accounts/m{n}" for n in range(1500)])
    found = evaluate(write(tmp_path, "crm,a1,crm,a2"))
    assert found.predicted_pairs == 1 + 1500 * 1499 // 2


@pytest.mark.usefixtures("crosswalk")
def test_the_command_prints_the_five_measures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = write(tmp_path, "crm,a3,erp,c2")
    assert main(["evaluate", str(truth), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "precision": 1 / 3,
        "recall": 1.0,
        "f1": 0.5,
        "true_pairs": 1,
        "predicted_pairs": 3,
    }
    assert main(["evaluate", str(truth)]) == 0
    assert "recall 1.0000" in capsys.readouterr().out


@pytest.mark.usefixtures("crosswalk")
@pytest.mark.parametrize(
    ("header", "lines", "complaint"),
    [
        ("left_source,left_key,right_source", ["crm,a1,erp"], "lacks the column right_key"),
        (HEADER, [], "holds no pairs"),
        (HEADER, ["crm,a1,sap,c1"], "names sap, which never landed"),
        (HEADER, ["crm,a1,erp,c1", "crm,,erp,c1"], "line 3"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path,
    header: str,
    lines: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["evaluate", str(write(tmp_path, *lines, header=header)), "--json"]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.usefixtures("crosswalk")
def test_an_empty_a_missing_and_a_binary_file_say_so(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    for name, complaint in {
        "empty": "is empty",
        "none": "cannot be read",
        "binary": "no CSV",
    }.items():
        with pytest.raises(EvaluationError, match=complaint):
            evaluate(tmp_path / f"{name}.csv")
