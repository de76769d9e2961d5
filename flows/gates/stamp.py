"""Stable ids in `expectations/`: `python -m flows.gates.stamp` fills them in.

Great Expectations refuses files without ids and would make new ones at every run; ids made from
names never change, so that people can write the files by hand and read their history.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from flows.core.settings import settings

Node = dict[str, Any]
NAMESPACE = uuid5(NAMESPACE_URL, "concord/expectations")


def stamp(folder: Path) -> list[Path]:
    """Fill in every id below the context folder; return the files that changed."""
    stamped = dict(stamped_files(folder))
    changed = [path for path, text in stamped.items() if path.read_text("utf-8") != text]
    for path in changed:
        path.write_text(stamped[path], encoding="utf-8")
    return changed


def stamped_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file of the context with the text that it should have."""
    config = folder / "great_expectations.yml"
    yield config, _stamped_config(config.read_text("utf-8"))
    for part, fill in (
        ("suites", _stamp_suite),
        ("validation_definitions", _stamp_validation),
        ("checkpoints", _stamp_checkpoint),
    ):
        for path in sorted((folder / part).glob("*.json")):
            yield path, as_json(fill(json.loads(path.read_text("utf-8"))))


def as_json(node: Node) -> str:
    """Return a node in the one format that the files have."""
    return json.dumps(node, indent=2, ensure_ascii=False) + "\n"


def as_yaml(comment: str, config: Node) -> str:
    """Return the context's configuration in the one format that it has, below its comment."""
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)
    return comment + text


def _id(*parts: str) -> str:
    return str(uuid5(NAMESPACE, "/".join(parts)))


def _stamped_config(text: str) -> str:
    comment = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    config = yaml.safe_load(text)
    for source, source_node in config["fluent_datasources"].items():
        source_node["id"] = _id("source", source)
        for asset, asset_node in source_node["assets"].items():
            asset_node["id"] = _id("asset", source, asset)
            for batch, batch_node in asset_node["batch_definitions"].items():
                batch_node["id"] = _id("batch", source, asset, batch)
    return as_yaml(comment, config)


def _stamp_suite(suite: Node) -> Node:
    for expectation in suite["expectations"]:
        rule = expectation["meta"]["rule"]
        expectation["id"] = _id("expectation", suite["name"], rule)
    return {**suite, "id": _id("suite", suite["name"])}


def _stamp_validation(validation: Node) -> Node:
    data = validation["data"]
    source, asset = data["datasource"]["name"], data["asset"]["name"]
    data["datasource"]["id"] = _id("source", source)
    data["asset"]["id"] = _id("asset", source, asset)
    batch = data["batch_definition"]
    batch["id"] = _id("batch", source, asset, batch["name"])
    validation["suite"]["id"] = _id("suite", validation["suite"]["name"])
    return {**validation, "id": _id("validation", validation["name"])}


def _stamp_checkpoint(checkpoint: Node) -> Node:
    for validation in checkpoint["validation_definitions"]:
        validation["id"] = _id("validation", validation["name"])
    return {**checkpoint, "id": _id("checkpoint", checkpoint["name"])}


if __name__ == "__main__":
    for file in stamp(settings().expectations):
        print(f"stamped {file.name}")  # noqa: T201 - a command line tool prints
