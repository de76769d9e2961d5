"""A changed rule rebuilds the layers that read it, and no other."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from flows.core import signature as signatures
from flows.core.settings import settings
from flows.staging.signature import marts_signature, staging_signature


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the dbt project that may be edited."""
    copy = tmp_path / "dbt_project"
    copytree(settings().dbt_project, copy, ignore=lambda *_: {"target", "logs"})
    moved = replace(settings(), project_root=tmp_path)
    monkeypatch.setattr(signatures, "settings", lambda: moved)
    signatures.signature.cache_clear()
    yield copy
    signatures.signature.cache_clear()


def change(path: Path) -> tuple[bool, bool]:
    """Edit a file; return whether that makes staging and the marts be built again."""
    before = staging_signature(), marts_signature("EUR")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "\n", encoding="utf-8")
    signatures.signature.cache_clear()
    after = staging_signature(), marts_signature("EUR")
    return before[0] != after[0], before[1] != after[1]


def test_a_changed_staging_model_rebuilds_staging_only(project: Path) -> None:
    assert change(project / "models/staging/stg_orders.sql") == (True, False)


def test_a_changed_mart_rebuilds_the_marts_only(project: Path) -> None:
    assert change(project / "models/marts/orders.sql") == (False, True)


def test_a_changed_ownership_rule_rebuilds_the_marts_only(project: Path) -> None:
    assert change(project / "seeds/rules/field_ownership.csv") == (False, True)


def test_a_changed_tolerance_rebuilds_both(project: Path) -> None:
    assert change(project / "seeds/rules/tolerances.csv") == (True, True)


def test_a_changed_matching_rule_rebuilds_neither(project: Path) -> None:
    assert change(project / "seeds/rules/match_policy.csv") == (False, False)


def test_a_changed_normalisation_rebuilds_the_marts_that_use_it(project: Path) -> None:
    assert change(project / "functions/normalise_name.sql") == (False, True)


def test_another_reporting_currency_is_another_signature(project: Path) -> None:
    assert marts_signature("EUR") != marts_signature("NOK")
