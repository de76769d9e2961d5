"""The canonical model, read from the one place that defines it: the yml of the incoming models."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flows.core.errors import SettingsError
from flows.core.settings import settings
from flows.core.yaml_files import read_yaml

COMMON_COLUMNS = ("is_deleted", "created_at", "modified_at")


@dataclass(frozen=True)
class Column:
    """One business column of an entity, with what it must hold."""

    name: str
    data_type: str
    description: str
    is_key: bool = False
    is_required: bool = False
    accepted: tuple[str, ...] = ()
    reference: str | None = None


@dataclass(frozen=True)
class Entity:
    """One canonical entity: its columns in order, its key and the document it belongs to."""

    name: str
    description: str
    kinds: tuple[str, ...]
    columns: tuple[Column, ...]
    document_type: str
    document_key: str | None
    money: str | None

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the key columns, in order."""
        return tuple(column.name for column in self.columns if column.is_key)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of all business columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def is_own_document(self) -> bool:
        """Whether a row stands alone, not as part of a document with header and lines."""
        return self.document_key is None

    @property
    def is_part_of_document(self) -> bool:
        """Whether a row is a line of a document whose header is another entity."""
        return self.document_key is not None and self.document_key not in self.key

    def column(self, name: str) -> Column:
        """Return one column by name; raises KeyError when the entity has none of that name."""
        return {column.name: column for column in self.columns}[name]


@cache
def entities() -> tuple[Entity, ...]:
    """Return every canonical entity, ordered by name."""
    folder = settings().dbt_project / "models" / "incoming"
    models = (model for path in sorted(folder.glob("incoming_*.yml")) for model in _models(path))
    return tuple(_entity(model) for model in models if "entity" in _meta(model))


def entity(name: str) -> Entity:
    """Return one entity by name; raises SettingsError naming the known ones."""
    known = _by_name()
    if name not in known:
        raise SettingsError(f"{name!r} is no canonical entity; known are {', '.join(known)}.")
    return known[name]


@cache
def _by_name() -> dict[str, Entity]:
    return {one.name: one for one in entities()}


def _models(path: Path) -> list[Mapping[str, Any]]:
    return list(read_yaml(path).get("models", []))


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = node.get("config", {}).get("meta", {})
    return meta


def _entity(model: Mapping[str, Any]) -> Entity:
    meta = _meta(model)
    return Entity(
        name=meta["entity"],
        description=model["description"],
        kinds=tuple(meta["kinds"]),
        columns=tuple(
            _column(column) for column in model["columns"] if not _meta(column).get("technical")
        ),
        document_type=meta.get("document_type", meta["entity"]),
        document_key=meta.get("document_key"),
        money=meta.get("money"),
    )


def _column(column: Mapping[str, Any]) -> Column:
    meta = _meta(column)
    return Column(
        name=column["name"],
        data_type=column["data_type"],
        description=column["description"],
        is_key=bool(meta.get("key")),
        is_required=bool(meta.get("required")),
        accepted=tuple(meta.get("accepted", ())),
        reference=meta.get("reference"),
    )
