"""The command line and the flows that go back, over the story's warehouse."""

import json
from collections.abc import Iterator

import pytest

from flows.cli.main import main
from flows.core.settings import settings
from flows.core.warehouse import connect
from tests.fixtures.postgres import forget_settings
from tests.fixtures.story import Story, about_business, differing, published


@pytest.fixture
def told(story: Story) -> Iterator[Story]:
    """Yield the story with the settings read anew, as a process of its own would."""
    forget_settings()
    yield story
    forget_settings()


def now_published() -> dict[str, list[tuple[object, ...]]]:
    with connect() as connection:
        return about_business(published(connection))


def test_a_rollback_shows_what_was_published_before_and_publish_goes_forward(told: Story) -> None:
    assert main(["rollback"]) == 0
    assert not differing(now_published(), told.chapters["day"].rows)
    assert main(["rollback"]) == 1
    assert main(["publish"]) == 0
    assert not differing(now_published(), told.chapters["repaired"].rows)


def test_a_backfill_of_the_same_files_changes_nothing_that_is_published(told: Story) -> None:
    assert main(["backfill", "erp"]) == 0
    assert not differing(now_published(), told.chapters["repaired"].rows)


def test_a_full_rebuild_gives_what_the_incremental_runs_gave(told: Story) -> None:
    assert main(["run", "--full"]) == 0
    assert not differing(now_published(), told.chapters["repaired"].rows)


def test_landing_again_lands_nothing(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["land", "crm", "--json"]) == 0
    batches = json.loads(capsys.readouterr().out)["batches"]
    assert batches
    assert all(batch["unchanged"] for batch in batches)


def test_status_says_what_waits(told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert "last run:" in text
    assert "waiting: 0 batches" in text
    assert "marts.orders" in text


def test_psql_answers_on_the_warehouse_and_hands_its_exit_status_on(
    told: Story, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["psql", "-Atc", "select count(*) > 0 from marts.orders"]) == 0
    assert capfd.readouterr().out == "t\n"
    assert main(["psql", "-v", "ON_ERROR_STOP=1", "-c", "select nothing"]) == 1


def test_an_unknown_connection_is_a_usage_error(
    told: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["land", "shop"]) == 2
    assert "no connection named shop" in capsys.readouterr().err


def test_a_missing_connections_file_is_a_usage_error(
    told: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONCORD_CONNECTIONS", str(settings().home / "nowhere.yaml"))
    forget_settings()
    assert main(["run"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err


def test_an_unknown_command_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["frobnicate"])
    assert caught.value.code == 2
