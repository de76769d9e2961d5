"""Flows inside a flow."""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.core.clients import share_certificates


@contextmanager
def inside_a_flow() -> Iterator[None]:
    """Spare the flows in the block a heartbeat of their own; the outer flow's speaks for all.

    Prefect lets every flow wait a second for its heartbeat to stop.
    """
    from prefect.settings import (  # noqa: PLC0415 - the core stands without Prefect
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    share_certificates()
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
