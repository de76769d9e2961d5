"""Fixtures every test may ask for, and which tests share a process when several run them."""

import pytest

pytest_plugins = (
    "tests.fixtures.postgres",
    "tests.fixtures.prefect",
    "tests.fixtures.story",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep a file's tests together, and all that need Prefect's server in one process."""
    needs_prefect = "prefect_server" in getattr(item, "fixturenames", ())
    item.add_marker(pytest.mark.xdist_group("prefect" if needs_prefect else item.location[0]))
