"""The two sandbox systems that the demo reads over HTTP: starting them, and what happens in them.

They are programs of their own, as the vendors' are, and run until `concord down`.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from flows.cli.prefect_server import MARK
from flows.core.errors import DemoError
from flows.core.settings import settings

PATIENCE_SECONDS = 60
CONNECTIONS = {
    "salesforce": {
        "system": "salesforce",
        "kind": "crm",
        "instance_url": "${SALESFORCE_URL}",
        "client_id": "${SALESFORCE_CLIENT_ID}",
        "client_secret": "${SALESFORCE_CLIENT_SECRET}",
        # Salesforce's lines have no unit of their own; this organisation has a field for it.
        "map_fields": "sales_order_lines.unit=Unit__c, quote_lines.unit=Unit__c",
    },
    "business_central": {
        "system": "business_central",
        "kind": "erp",
        "api_url": "${BUSINESS_CENTRAL_API_URL}",
        "login_url": "${BUSINESS_CENTRAL_URL}",
        "tenant": "${BUSINESS_CENTRAL_TENANT}",
        "client_id": "${BUSINESS_CENTRAL_CLIENT_ID}",
        "client_secret": "${BUSINESS_CENTRAL_CLIENT_SECRET}",
    },
}
GIVEN = ("url", "api_url", "tenant", "client_id", "client_secret")


@dataclass(frozen=True)
class Sandbox:
    """One system that answers, and what a client needs to log in."""

    system: str
    known: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the connections file refers to; secrets stand nowhere else."""
        prefix = self.system.upper()
        return {f"{prefix}_{one}".upper(): self.known[one] for one in GIVEN if one in self.known}

    def tell(self, command: str, **arguments: Any) -> Any:  # noqa: ANN401 - what the command takes
        """Let something happen in the system."""
        reply = requests.post(
            f"{self.known['url']}/sandbox/{command}", json=arguments, timeout=PATIENCE_SECONDS
        )
        reply.raise_for_status()
        return reply.json()


def start(home: Path) -> dict[str, Sandbox]:
    """Start both systems at once, wait until they answer, and return them by name.

    Raises DemoError when one does not.
    """
    begun = {system: _begin(system, home) for system in CONNECTIONS}
    return {system: Sandbox(system, _greeting(begun[system], home)) for system in begun}


def write_connections(home: Path) -> Path:
    """Write the connections file, which names variables where secrets would stand."""
    path = home / "connections.yaml"
    path.write_text(yaml.safe_dump({"connections": CONNECTIONS}, sort_keys=False), "utf-8")
    return path


def _begin(system: str, home: Path) -> "subprocess.Popen[str]":
    environment = {
        **settings().environment,
        "PYTHONPATH": str(settings().project_root),
        MARK: str(home),
    }
    with ExitStack() as opened:
        log = opened.enter_context(_log(home).open("ab"))
        return subprocess.Popen(
            (sys.executable, "-m", "flows.sandbox.vendors", "--system", system),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # its first line holds the secret, so it goes to no file
            stderr=log,
            env=environment,
            start_new_session=True,
            cwd=settings().project_root,
            text=True,
        )


def _greeting(process: "subprocess.Popen[str]", home: Path) -> dict[str, str]:
    """Return what the server says of itself as soon as it answers."""
    assert process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
    with process.stdout as told:
        line = told.readline()
    process.returncode = 0  # it outlives this process, which Python would otherwise complain about
    if not line:
        raise DemoError(f"A sandbox server did not start; see {_log(home)}.")
    return dict(json.loads(line))


def _log(home: Path) -> Path:
    return home / "sandbox.log"
