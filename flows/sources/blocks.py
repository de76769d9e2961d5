"""Credentials from a Prefect block: filled in by a form in the UI, kept by Prefect's server."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from flows.core.errors import ConnectionsError
from flows.sources.connections import ConnectionConfig

if TYPE_CHECKING:
    from prefect.blocks.core import Block


class Credentials(Protocol):
    """What a system's form holds."""

    def options(self) -> dict[str, str]:
        """Return what is filled in, as connections.yaml would name it."""


def with_block(config: ConnectionConfig, form: "Callable[[], type[Block]]") -> ConnectionConfig:
    """Return the connection with what its block holds; connections.yaml goes before it.

    `form` imports the system's block, which loads Prefect and so is left until it is needed.
    Raises ConnectionsError when there is no such block.
    """
    name = config.options.get("block")
    if name is None:
        return config
    held = _load(config.name, name, form()).options()
    return ConnectionConfig(config.name, config.system, {**held, **config.options})


def _load(connection: str, name: str, form: "type[Block]") -> Credentials:
    try:
        found = form.load(name)
    except ValueError as error:
        raise ConnectionsError(
            f"Connection {connection} names the block {name!r}, which is not there. Make it in the "
            f"UI under Blocks: {form.get_block_type_name()}."
        ) from error
    assert isinstance(found, form)  # noqa: S101 - no event loop runs here
    return cast("Credentials", found)
