"""What the yml files beside the marts say of them: keys, columns, rules, personal data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.core.errors import SettingsError
from flows.core.settings import settings
from flows.core.yaml_files import read_yaml

# Staged tables that keep every version of an entity's records.
HISTORIES = {
    "opportunity_versions": "opportunities",
    "opportunity_line_versions": "opportunity_lines",
}


@dataclass(frozen=True)
class DescribedColumn:
    """One column of a mart, as its contract describes it."""

    name: str
    data_type: str
    description: str
    rules: tuple[str, ...] = ()
    is_personal: bool = False
    view_expression: str | None = None


@dataclass(frozen=True)
class DescribedMart:
    """One mart, as its contract describes it."""

    name: str
    key: tuple[str, ...]
    description: str
    columns: tuple[DescribedColumn, ...]
    is_published: bool = True

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(column.name for column in self.columns)


def marts_folder() -> Path:
    """Return the folder of the marts' models."""
    return settings().dbt_project / "models" / "marts"


def described_marts(folder: Path | None = None) -> dict[str, DescribedMart]:
    """Read every mart that has a primary key, by name.

    Raises SettingsError when none is described.
    """
    found = {
        model["name"]: _mart(model)
        for file in sorted((folder or marts_folder()).rglob("*.yml"))
        for model in _models(file)
        if _key(model)
    }
    if not found:
        raise SettingsError("No mart is described; explaining values needs the marts' yml files.")
    return found


def _models(file: Path) -> Iterator[Mapping[str, Any]]:
    yield from read_yaml(file).get("models") or ()


def _mart(model: Mapping[str, Any]) -> DescribedMart:
    return DescribedMart(
        name=model["name"],
        key=_key(model),
        description=" ".join(str(model.get("description", "")).split()),
        columns=tuple(_column(column) for column in model.get("columns") or ()),
        is_published=bool(_meta(model).get("published", True)),
    )


def _column(column: Mapping[str, Any]) -> DescribedColumn:
    meta = _meta(column)
    expression = meta.get("view_expression")
    return DescribedColumn(
        name=column["name"],
        data_type=str(column.get("data_type", "")),
        description=" ".join(str(column.get("description", "")).split()),
        rules=tuple(meta.get("rules") or ()),
        is_personal=meta.get("personal_data") is True,
        view_expression=str(expression) if expression else None,
    )


def _key(model: Mapping[str, Any]) -> tuple[str, ...]:
    for constraint in model.get("constraints") or ():
        if constraint.get("type") == "primary_key":
            return tuple(constraint["columns"])
    return ()


def _meta(described: Mapping[str, Any]) -> Mapping[str, Any]:
    config = described.get("config") or {}
    return {**(described.get("meta") or {}), **(config.get("meta") or {})}
