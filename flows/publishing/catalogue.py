"""What the mart descriptions say about publishing: what to sum, mask and compute when read."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.core.errors import SettingsError
from flows.core.settings import settings
from flows.core.yaml_files import read_yaml


@dataclass(frozen=True)
class Catalogue:
    """Per table: columns to sum, columns with personal data, columns computed when read.

    Only `tables` are published; None publishes every table of the slot.
    """

    tables: frozenset[str] | None = None
    sums: Mapping[str, Sequence[str]] = field(default_factory=dict)
    personal: Mapping[str, Collection[str]] = field(default_factory=dict)
    expressions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into an equal catalogue."""
        return {
            "tables": None if self.tables is None else sorted(self.tables),
            "sums": {table: list(columns) for table, columns in self.sums.items()},
            "personal": {table: sorted(columns) for table, columns in self.personal.items()},
            "expressions": {table: dict(columns) for table, columns in self.expressions.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Catalogue":
        """Rebuild a catalogue that was kept with a publication."""
        tables = data.get("tables")
        return cls(
            tables=None if tables is None else frozenset(tables),
            sums=data.get("sums", {}),
            personal=data.get("personal", {}),
            expressions=data.get("expressions", {}),
        )

    def masking_also(self, other: "Catalogue") -> "Catalogue":
        """Return this catalogue, masking what either of the two masks."""
        personal = {
            table: {*self.personal.get(table, ()), *other.personal.get(table, ())}
            for table in {*self.personal, *other.personal}
        }
        return Catalogue(self.tables, self.sums, personal, self.expressions)


def read_catalogue(folder: Path | None = None) -> Catalogue:
    """Read the yml files beside the marts.

    Raises SettingsError when none describes a mart: publishing unmasked is no fallback.
    """
    folder = folder or settings().dbt_project / "models" / "marts"
    described = dict(_models(folder))
    if not described:
        raise SettingsError(f"No mart is described under {folder}; publishing needs its yml files.")
    return Catalogue(
        tables=frozenset(described),
        sums=_marked(described, "sum"),
        personal=_marked(described, "personal_data"),
        expressions=_expressions(described),
    )


Columns = Mapping[str, Mapping[str, Any]]


def _models(folder: Path) -> Iterator[tuple[str, Columns]]:
    for file in sorted(folder.rglob("*.yml")):
        for model in read_yaml(file).get("models") or ():
            config = model.get("config") or {}
            if config.get("enabled", True) and _meta(model).get("published", True):
                name = config.get("alias") or model["name"]
                yield name, {column["name"]: _meta(column) for column in model.get("columns") or ()}


def _meta(described: Mapping[str, Any]) -> Mapping[str, Any]:
    config = described.get("config") or {}
    return {**(described.get("meta") or {}), **(config.get("meta") or {})}


def _marked(described: Mapping[str, Columns], mark: str) -> dict[str, list[str]]:
    marked = {
        table: [name for name, meta in columns.items() if meta.get(mark) is True]
        for table, columns in described.items()
    }
    return {table: columns for table, columns in marked.items() if columns}


def _expressions(described: Mapping[str, Columns]) -> dict[str, dict[str, str]]:
    computed = {
        table: {
            name: str(meta["view_expression"])
            for name, meta in columns.items()
            if meta.get("view_expression")
        }
        for table, columns in described.items()
    }
    return {table: columns for table, columns in computed.items() if columns}
