"""A changed ownership rule reaches the marts with the next build, or is refused before it."""

from pathlib import Path
from shutil import copytree

import pytest

from flows.build import build_marts
from flows.core.dbt import seed_if_changed
from flows.core.errors import RulesError
from flows.core.settings import Settings, settings
from flows.core.signature import signature
from flows.core.warehouse import connect
from flows.staging import Plan
from tests.integration.crosswalks import link
from tests.integration.staged import create_staging, new_run, stage

NOTHING_STAGED = Plan(entities=(), is_full=False, marts_lag=True)


@pytest.fixture
def rule_file(warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the rule file of a copy of the dbt project, which may be edited."""
    copy = tmp_path / "dbt_project"
    copytree(settings().dbt_project, copy, ignore=lambda *_: {"target", "logs"})
    monkeypatch.setattr(Settings, "dbt_project", copy)
    signature.cache_clear()
    create_staging()
    return copy / "seeds" / "rules" / "field_ownership.csv"


def edit(rule_file: Path, before: str, after: str) -> None:
    text = rule_file.read_text(encoding="utf-8")
    assert before in text
    rule_file.write_text(text.replace(before, after), encoding="utf-8")
    signature.cache_clear()  # a run is a process of its own


def build_and_read_name() -> str:
    seed_if_changed()
    build_marts.fn(new_run(), NOTHING_STAGED)
    with connect() as connection:
        row = connection.execute("select name from marts_a.customers").fetchone()
    assert row is not None
    return str(row[0])


def test_a_changed_rule_rebuilds_the_marts(rule_file: Path) -> None:
    run_id = new_run()
    stage("accounts", "crm", run_id, account_id="a1", name="As sales writes it")
    stage("customers", "erp", run_id, customer_id="c1", name="AS FINANCE WRITES IT")
    link("customer", run_id, "C1", ("crm", "accounts", "a1"), ("erp", "customers", "c1"))
    assert build_and_read_name() == "As sales writes it"
    edit(rule_file, "customers,name,crm", "customers,name,erp")
    assert build_and_read_name() == "AS FINANCE WRITES IT"


def test_a_wrong_rule_is_refused_before_it_is_loaded(rule_file: Path) -> None:
    edit(rule_file, "customers,name,crm,owner_wins", "customers,name,crm,owner_looses")
    with pytest.raises(RulesError, match=r"field_ownership\.csv, line 2: unknown mode 'owner_lo"):
        seed_if_changed()
    with connect() as connection:
        modes = connection.execute("select distinct mode from staging.field_ownership").fetchall()
    assert ("owner_looses",) not in modes
