"""The page of failures names tests that there are, and leaves out no failure."""

import re

from flows.core.settings import settings

ROOT = settings().project_root
PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")


def test_every_failure_has_its_line() -> None:
    found = re.findall(r"^\| (F\d\d) ", PAGE, re.MULTILINE)
    assert found == [f"F{number:02d}" for number in range(1, 35)]


def test_every_test_that_is_named_is_there() -> None:
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 60
    assert named <= defined
