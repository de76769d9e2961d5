"""Credentials from a Prefect block: filled in by a form in the UI, kept by Prefect's server."""

from typing import TYPE_CHECKING

from flows.core.errors import ConnectionsError
from flows.sources.connections import ConnectionConfig

if TYPE_CHECKING:
    from flows.sources.business_central.credentials_block import BusinessCentralCredentials


def with_block(config: ConnectionConfig) -> ConnectionConfig:
    """Return the connection with what its block holds; connections.yaml goes before it.

    Raises ConnectionsError when there is no such block.
    """
    name = config.options.get("block")
    if name is None:
        return config
    held = _load(config.name, name).options()
    return ConnectionConfig(config.name, config.system, {**held, **config.options})


def _load(connection: str, name: str) -> "BusinessCentralCredentials":
    # Prefect is slow to load.
    from flows.sources.business_central.credentials_block import (  # noqa: PLC0415
        BusinessCentralCredentials,
    )

    try:
        found = BusinessCentralCredentials.load(name)
    except ValueError as error:
        raise ConnectionsError(
            f"Connection {connection} names the block {name!r}, which is not there. Make it in the "
            "UI under Blocks: Business Central credentials."
        ) from error
    assert isinstance(found, BusinessCentralCredentials)  # noqa: S101 - no event loop runs here
    return found
