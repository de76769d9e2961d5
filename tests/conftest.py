"""Fixtures every test may ask for, and which tests share a process when several run them."""

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

pytest_plugins = (
    "tests.fixtures.business_central",
    "tests.fixtures.postgres",
    "tests.fixtures.prefect",
    "tests.fixtures.salesforce",
    "tests.fixtures.story",
    "tests.fixtures.vendors",
)

# The files of tests/e2e that do without Prefect's server; the others share one and its story.
ON_THEIR_OWN = ("tests/e2e/test_identity_on_public_sets.py",)


class ByFile(LoadFileScheduling):
    """Keeps the tests of a file in one process, and all that need Prefect's server in another."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        shares_a_server = file.startswith("tests/e2e/") and file not in ON_THEIR_OWN
        return "tests/e2e" if shares_a_server else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)
