"""Who owns which field: the reviewed rule file that survivorship, docs and write-back go by."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.core.errors import RulesError
from flows.core.settings import settings
from flows.core.yaml_files import read_yaml

COLUMNS = ("entity", "field", "owner", "mode", "reason")
OWNERS = {"crm": "CRM", "erp": "ERP"}
# What the mode lets the owner's side and the other side do.
MODES: Mapping[str, tuple[str, str]] = {
    "owner_wins": ("owns it", "fills it in"),
    "fill_only": ("fills it in", "keeps its own"),
    "most_recent": ("newest wins", "newest wins"),
    "review": ("owns it", "fills it in; differences go to review"),
}
# Where differences are listed for people: `customer_field_conflicts`.
REVIEWED = ("customers", "addresses")


@dataclass(frozen=True)
class Rule:
    """Which side owns a field, and what happens where the two sides differ."""

    entity: str
    field: str
    owner: str
    mode: str
    reason: str
    line: int

    @property
    def name(self) -> str:
        """The field with its entity, as models name it."""
        return f"{self.entity}.{self.field}"

    def part(self, side: str) -> str:
        """Return what a side, crm or erp, does with the field."""
        return MODES[self.mode][0 if side == self.owner else 1]


def rule_file() -> Path:
    """Return the path of the rule file."""
    return settings().dbt_project / "seeds" / "rules" / "field_ownership.csv"


def ownership_rules(path: Path | None = None) -> tuple[Rule, ...]:
    """Read every rule in the order of the file.

    Raises RulesError, naming file and line, for a rule that says nothing Concord could do, for a
    second rule for a field, and for a field of the marts without a rule.
    """
    path = path or rule_file()
    rules = tuple(_read(path))
    known = _fields_of_the_marts()
    faults = [
        f"{path.name}, line {rule.line}: {fault}"
        for rule in rules
        for fault in (*_faults(rule, known), *_repetition(rule, rules))
    ]
    faults += [
        f"{path.name}: there is no line for {name}, which the marts need"
        for name in sorted(known - {rule.name for rule in rules})
    ]
    if faults:
        raise RulesError("\n".join(faults))
    return rules


def matrix(rules: tuple[Rule, ...]) -> list[dict[str, str]]:
    """Return what each side does with each field, as rows to print."""
    return [
        {
            "entity": rule.entity,
            "field": rule.field,
            **{OWNERS[side]: rule.part(side) for side in OWNERS},
            "mode": rule.mode,
            "reason": rule.reason,
        }
        for rule in rules
    ]


def _read(path: Path) -> Iterator[Rule]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                raise RulesError(f"{path.name}, line 1: the columns must be {', '.join(COLUMNS)}.")
            for row in rows:
                yield _rule(row, f"{path.name}, line {rows.line_num}", rows.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RulesError(f"{path} cannot be read: {error}") from error


def _rule(row: Mapping[Any, Any], place: str, line: int) -> Rule:
    if None in row or None in row.values():
        raise RulesError(f"{place}: there must be {len(COLUMNS)} values; quote those with commas.")
    return Rule(**row, line=line)


def _faults(rule: Rule, known: frozenset[str]) -> Iterator[str]:
    if rule.name not in known:
        yield f"unknown field {rule.name!r}; known are {', '.join(sorted(known))}"
    if rule.owner not in OWNERS:
        yield f"unknown owner {rule.owner!r}; known are {', '.join(OWNERS)}"
    if rule.mode not in MODES:
        yield f"unknown mode {rule.mode!r}; known are {', '.join(MODES)}"
    if rule.mode == "review" and rule.entity not in REVIEWED:
        yield f"mode review lists differences of {' and '.join(REVIEWED)} only"
    if not rule.reason.strip():
        yield f"{rule.name} lacks its reason"


def _repetition(rule: Rule, rules: tuple[Rule, ...]) -> Iterator[str]:
    first = next(other for other in rules if other.name == rule.name)
    if first is not rule:
        yield f"{rule.name} is ruled in line {first.line} already"


def _fields_of_the_marts() -> frozenset[str]:
    folder = settings().dbt_project / "models" / "marts"
    return frozenset(
        name
        for path in folder.glob("*.yml")
        for model in read_yaml(path).get("models", ())
        for column in model.get("columns", ())
        for name in column.get("config", {}).get("meta", {}).get("rules", ())
    )
