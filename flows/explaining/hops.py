"""Joins that lead from a row of a mart to the rows that it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Names = Mapping[str, str]


@dataclass(frozen=True)
class Hop:
    """One join: columns of a relation that equal columns of an earlier one, `2.name` of hop 2.

    `listed` names a list of source records in the mart, and the entity to take from it; `dated`
    the day for which the exchange rate holds.
    """

    relation: str
    on: Names = field(default_factory=dict)
    where: Mapping[str, str | bool | None] = field(default_factory=dict)
    unless: Names = field(default_factory=dict)
    listed: tuple[str, str] | None = None
    dated: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the SQL functions read."""
        found: dict[str, Any] = {
            "relation": self.relation,
            "on": {name: _reference(of) for name, of in self.on.items()},
            "where": dict(self.where),
            "unless": dict(self.unless),
        }
        if self.listed:
            found["listed"] = list(self.listed)
        if self.dated:
            found["dated"] = self.dated
        return found


@dataclass(frozen=True)
class Path:
    """Joins from a mart to one of its inputs, which is the last of them unless `taken` says.

    A path that is not exact leads to all rows that may count; the mart's SQL picks among them.
    """

    input: str
    hops: tuple[Hop, ...]
    columns: str = "%"
    applies: Mapping[str, str | list[str] | None] = field(default_factory=dict)
    column_named_by: str | None = None
    taken: int | None = None
    is_exact: bool = True


def _reference(name: str) -> list[str]:
    number, dot, column = name.partition(".")
    return [number, column] if dot else ["0", name]


def same(*names: str) -> dict[str, str]:
    """Return that columns equal those of the same name."""
    return {name: name for name in names}
