"""Suites that keep up with the model: `python -m flows.gates.scaffold` adds what is missing.

What people have written is left as it is; only rules without an expectation are added, and
expectations of rules that no longer exist are removed.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from flows.core.canonical import entities
from flows.core.settings import settings
from flows.gates import identity_rules, mart_rules
from flows.gates.context import IDENTITY_SOURCE, MARTS_SOURCE, RAW_SOURCE
from flows.gates.rules import (
    document_query,
    document_rules,
    row_query,
    row_rules,
    rule_expectation,
)
from flows.gates.stamp import as_json, as_yaml, stamp

Node = dict[str, Any]


def wanted_suites() -> dict[str, list[Node]]:
    """Return the expectations that the model asks for, by suite."""
    suites: dict[str, list[Node]] = {
        f"raw__{entity.name}": [
            rule_expectation(rule, row_query(rule.name)) for rule in row_rules(entity)
        ]
        for entity in entities()
    }
    suites["raw__documents"] = [
        rule_expectation(rule, document_query(rule.name)) for rule in document_rules()
    ]
    return suites


def scaffold(folder: Path) -> None:
    """Bring the suites, validation definitions and checkpoints in line with the model."""
    wanted = {**wanted_suites(), **identity_rules.suites(), **mart_rules.suites()}
    for name, expectations in wanted.items():
        _merge_suite(folder / "suites" / f"{name}.json", name, expectations)
    names = sorted(path.stem for path in (folder / "suites").glob("*.json"))
    _write_config(folder / "great_expectations.yml", names)
    for name in names:
        _write_if_missing(folder / "validation_definitions" / f"{name}.json", _validation(name))
    for promotion in ("raw", "identity", "marts"):
        members = [name for name in names if name.startswith(f"{promotion}__")]
        _write(folder / "checkpoints" / f"{promotion}.json", _checkpoint(promotion, members))
    stamp(folder)


def _merge_suite(path: Path, name: str, wanted: Iterable[Node]) -> None:
    present = json.loads(path.read_text("utf-8")) if path.exists() else {"expectations": []}
    written = {node["meta"]["rule"]: node for node in present["expectations"]}
    merged = [written.pop(node["meta"]["rule"], node) for node in wanted]
    merged += [node for node in written.values() if not _is_generated(node)]
    _write(path, {"name": name, "id": None, "expectations": merged, "meta": {}, "notes": None})


def _is_generated(node: Node) -> bool:
    query = node["kwargs"].get("unexpected_rows_query", "")
    return f"'{node['meta']['rule']}' = any(failed_rules)" in query


def _validation(name: str) -> Node:
    source, asset = _source(name), name.partition("__")[2]
    return {
        "name": name,
        "id": None,
        "suite": {"name": name, "id": None},
        "data": {
            "datasource": {"name": source, "id": None},
            "asset": {"name": asset, "id": None},
            "batch_definition": {"name": "all", "id": None},
        },
    }


def _source(name: str) -> str:
    sources = {"marts": MARTS_SOURCE, "identity": IDENTITY_SOURCE}
    return sources.get(name.partition("__")[0], RAW_SOURCE)


def _checkpoint(promotion: str, members: list[str]) -> Node:
    return {
        "name": promotion,
        "id": None,
        "validation_definitions": [{"name": name, "id": None} for name in members],
        "actions": [],
        "result_format": {"result_format": "SUMMARY", "partial_unexpected_count": 0},
    }


def _write_config(path: Path, names: Iterable[str]) -> None:
    text = path.read_text("utf-8")
    comment = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    config = yaml.safe_load(text)
    for name in names:
        assets = config["fluent_datasources"][_source(name)].setdefault("assets", {})
        for asset, node in _assets(name):
            assets.setdefault(asset, node)
    path.write_text(as_yaml(comment, config), encoding="utf-8")


def _assets(name: str) -> Iterator[tuple[str, Node]]:
    asset = name.partition("__")[2]
    tables = identity_rules.tables() if _source(name) == IDENTITY_SOURCE else {}
    node: Node = {"type": "table", "id": None, "table_name": tables.get(asset, asset)}
    yield asset, {**node, "batch_definitions": {"all": {"id": None, "partitioner": None}}}


def _write_if_missing(path: Path, node: Node) -> None:
    if not path.exists():
        _write(path, node)


def _write(path: Path, node: Node) -> None:
    path.write_text(as_json(node), encoding="utf-8")


if __name__ == "__main__":
    scaffold(settings().expectations)
