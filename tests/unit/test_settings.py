"""What the environment says, and what it may not say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.core.errors import SettingsError
from flows.core.settings import PROJECT_ROOT, export, settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HOME", "CONNECTIONS", "WAREHOUSE_URL", "REPORTING_CURRENCY"):
        monkeypatch.delenv(f"CONCORD_{name}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_without_any_variable_everything_lies_below_the_project() -> None:
    assert settings().home == PROJECT_ROOT / ".concord"
    assert settings().connections_file == PROJECT_ROOT / "connections.yaml"
    assert settings().warehouse_url is None
    assert settings().reporting_currency is None


def test_a_relative_home_is_taken_from_where_the_command_was_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONCORD_HOME", "state")
    assert settings().home == tmp_path / "state"


@pytest.mark.parametrize(
    "name", ["CONCORD_HOME", "CONCORD_WAREHOUSE_URL", "CONCORD_REPORTING_CURRENCY"]
)
def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    absent = settings()
    monkeypatch.setenv(name, "")
    settings.cache_clear()
    found = settings()
    assert (found.home, found.warehouse_url, found.reporting_currency) == (
        absent.home,
        absent.warehouse_url,
        absent.reporting_currency,
    )


def test_a_currency_is_read_without_regard_to_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORD_REPORTING_CURRENCY", "chf")
    assert settings().reporting_currency == "CHF"


@pytest.mark.parametrize("code", ["EURO", "12X", "€", "E R"])
def test_what_is_no_currency_code_is_refused(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("CONCORD_REPORTING_CURRENCY", code)
    with pytest.raises(SettingsError, match="CONCORD_REPORTING_CURRENCY"):
        settings()


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings()
    monkeypatch.setenv("CONCORD_REPORTING_CURRENCY", "USD")
    assert settings() is before


def test_exporting_nothing_takes_a_variable_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORD_REPORTING_CURRENCY", "USD")
    export({"CONCORD_REPORTING_CURRENCY": None})
    assert settings().reporting_currency is None


def test_an_exported_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORD_REPORTING_CURRENCY", "USD")
    export({"CONCORD_REPORTING_CURRENCY": "SEK"})
    assert settings().reporting_currency == "SEK"
