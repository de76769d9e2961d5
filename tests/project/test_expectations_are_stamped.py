"""The expectations people edit: stamped, complete, and nothing that a run would change."""

import json

import pytest
import yaml

from flows.core.settings import settings
from flows.gates import mart_rules
from flows.gates.scaffold import wanted_suites
from flows.gates.stamp import stamped_files

FOLDER = settings().expectations
SUITES = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("suites/*.json")}


def rules_of(suite: str) -> list[str]:
    return [expectation["meta"]["rule"] for expectation in SUITES[suite]["expectations"]]


def test_stamping_changes_nothing() -> None:
    unstamped = [
        path.name for path, text in stamped_files(FOLDER) if path.read_text("utf-8") != text
    ]
    assert unstamped == [], "run `python -m flows.gates.stamp`"


@pytest.mark.parametrize("suite", sorted(wanted_suites()))
def test_every_rule_that_incoming_emits_is_described_once_and_no_other(suite: str) -> None:
    emitted = [node["meta"]["rule"] for node in wanted_suites()[suite]]
    described = [
        node["meta"]["rule"]
        for node in SUITES[suite]["expectations"]
        if "any(failed_rules)" in node["kwargs"].get("unexpected_rows_query", "")
    ]
    assert sorted(described) == sorted(emitted), "run `python -m flows.gates.scaffold`"


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_every_expectation_says_what_it_means_and_what_to_do(suite: str) -> None:
    rules = rules_of(suite)
    assert len(set(rules)) == len(rules)
    for expectation in SUITES[suite]["expectations"]:
        assert expectation["severity"] in ("critical", "warning", "info")
        assert expectation["meta"]["description"].endswith(".")
        assert len(expectation["meta"]["advice"]) > 20


def test_every_suite_belongs_to_the_checkpoint_of_its_promotion() -> None:
    members = {
        member["name"]
        for path in FOLDER.glob("checkpoints/*.json")
        for member in json.loads(path.read_text("utf-8"))["validation_definitions"]
    }
    assert members == set(SUITES)


def test_the_gate_knows_the_key_of_every_mart_that_is_published() -> None:
    models = settings().dbt_project / "models" / "marts"
    columns = {
        model["name"]: {column["name"] for column in model["columns"]}
        for path in models.glob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", [])
    }
    wrong = {
        name: sorted(set(mart.key) - columns[name])
        for name, mart in mart_rules.MARTS.items()
        if name in columns and not set(mart.key) <= columns[name]
    }
    assert wrong == {}
