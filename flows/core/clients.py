"""Prefect's clients in this process."""

import ssl
from functools import cache
from types import SimpleNamespace


def share_certificates() -> None:
    """Let the clients share one set of trusted certificates.

    Prefect makes a client for every flow, task, artifact, dbt node and message, and reading the
    certificates takes longer than most requests. To be removed when Prefect shares them.
    """
    from prefect.client import orchestration  # noqa: PLC0415 - the core stands without Prefect

    if vars(orchestration)["ssl"] is ssl:
        shared = {**vars(ssl), "create_default_context": cache(ssl.create_default_context)}
        vars(orchestration)["ssl"] = SimpleNamespace(**shared)
