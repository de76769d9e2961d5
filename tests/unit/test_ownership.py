"""The ownership rules: what they say, and what is refused, with file and line."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from flows.core.errors import RulesError
from flows.core.ownership import Rule, matrix, ownership_rules, rule_file

LINES = rule_file().read_text(encoding="utf-8").splitlines()


def written(folder: Path, *lines: str) -> Path:
    path = folder / "field_ownership.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_each_side_owns_what_was_agreed() -> None:
    owners = {rule.name: rule.owner for rule in ownership_rules()}
    crm = "customers.name customers.industry customers.owner_id contacts.sales contacts.support"
    erp = (
        "addresses.billing addresses.shipping customers.credit_limit customers.payment_terms "
        "customers.tax_id customers.registration_id contacts.billing contacts.delivery "
        "products.product_number products.unit products.list_price products.standard_cost"
    )
    assert {owners[name] for name in crm.split()} == {"crm"}
    assert {owners[name] for name in erp.split()} == {"erp"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("customers,shoe_size,crm,owner_wins,Because", r"line 2: unknown field 'customers.shoe_s"),
        ("customers,name,sap,owner_wins,Because", r"line 2: unknown owner 'sap'; known are crm, e"),
        ("customers,name,crm,newest,Because", r"line 2: unknown mode 'newest'; known are owner_w"),
        ("contacts,sales,crm,review,Because", r"line 2: mode review lists differences of custome"),
        ("customers,name,crm,owner_wins, ", r"line 2: customers.name lacks its reason"),
        ("customers,name,crm,owner_wins", r"line 2: there must be 5 values"),
        ("customers,name,crm,owner_wins,a,b", r"line 2: there must be 5 values"),
    ],
)
def test_a_rule_that_says_nothing_known_is_refused_with_its_line(
    tmp_path: Path, line: str, said: str
) -> None:
    path = written(tmp_path, LINES[0], line, *LINES[2:])
    with pytest.raises(RulesError, match=f"field_ownership.csv, {said}"):
        ownership_rules(path)


def test_a_second_rule_for_a_field_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, *LINES, LINES[1])
    with pytest.raises(RulesError, match=rf"line {len(LINES) + 1}: customers.name is ruled in li"):
        ownership_rules(path)


def test_a_field_without_a_rule_is_missed(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"there is no line for customers\.name"):
        ownership_rules(written(tmp_path, LINES[0], *LINES[2:]))


@pytest.mark.parametrize(
    ("content", "said"),
    [("entity,field\n", "line 1: the columns must be"), ('entity,"fi\n', "cannot be read")],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(RulesError, match=said):
        ownership_rules(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="cannot be read"):
        ownership_rules(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("mode", "crm", "erp"),
    [
        ("owner_wins", "owns it", "fills it in"),
        ("fill_only", "fills it in", "keeps its own"),
        ("most_recent", "newest wins", "newest wins"),
        ("review", "owns it", "fills it in; differences go to review"),
    ],
)
def test_the_matrix_says_what_each_side_does(mode: str, crm: str, erp: str) -> None:
    [row] = matrix((Rule("customers", "name", "crm", mode, "Because", 2),))
    assert (row["CRM"], row["ERP"]) == (crm, erp)


def test_the_command_prints_the_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(LINES)
    assert printed[1].split()[:2] == ["customers", "name"]


def test_the_command_prints_the_matrix_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "--json"]) == 0
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert len(rules) == len(LINES) - 1
    assert rules[0]["field"] == "name"
