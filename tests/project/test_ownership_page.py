"""What people read about ownership is what the marts are built by."""

from pathlib import Path

import pytest

from flows.cli.main import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ownership.md"


def test_the_page_on_ownership_is_printed_from_the_rules(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rules", "show", "--markdown"]) == 0
    assert PAGE.read_text(encoding="utf-8") == capsys.readouterr().out
