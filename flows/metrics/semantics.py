"""The semantic layer: every metric of the marts, for MetricFlow and for its command `mf`."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from flows.core.databases import database_name
from flows.core.dbt import parsed_manifest, target_path
from flows.core.settings import settings
from flows.core.warehouse import warehouse_url

PUBLISHED = "marts"
FILE = "semantic_manifest.json"
PROJECT = "name: concord\nversion: '1.0.0'\nprofile: concord\nmodel-paths: [models]\n"

Node = dict[str, Any]


def write_semantic_manifest(path: Path, schema: str = PUBLISHED) -> Path:
    """Write what MetricFlow reads, over the tables of a schema: the published views as a rule."""
    from dbt.contracts.graph.semantic_manifest import (  # noqa: PLC0415 - costs 1.6 s
        SemanticManifest,
    )

    path.parent.mkdir(parents=True, exist_ok=True)
    SemanticManifest(parsed_manifest()).write_json_to_file(str(path))
    written = json.loads(path.read_text("utf-8"))
    for relation in _relations(written):
        relation.update(_in_schema(relation["alias"], schema))
    path.write_text(json.dumps(written), encoding="utf-8")
    return path


def write_mf_project(folder: Path | None = None, schema: str = PUBLISHED) -> Path:
    """Make a folder that `mf` can be run in, whatever the working copy looks like.

    `mf` reads `target/semantic_manifest.json` beside a project and a profile.
    """
    folder = folder or settings().home / "metrics"
    write_semantic_manifest(folder / "target" / FILE, schema)
    (folder / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    shutil.copy(settings().dbt_project / "profiles.yml", folder / "profiles.yml")
    return folder


class MetricFlow:
    """MetricFlow's own engine over the tables of one schema."""

    def __init__(self, schema: str = PUBLISHED) -> None:
        """Read the semantic models once."""
        from metricflow.engine.metricflow_engine import MetricFlowEngine  # noqa: PLC0415 - slow
        from metricflow_semantics.model.dbt_manifest_parser import (  # noqa: PLC0415 - slow
            parse_manifest_from_dbt_generated_manifest,
        )
        from metricflow_semantics.model.semantic_manifest_lookup import (  # noqa: PLC0415 - slow
            SemanticManifestLookup,
        )

        from flows.metrics.dialect import PostgresDialect  # noqa: PLC0415 - slow

        path = write_semantic_manifest(target_path() / f"{schema}_{FILE}", schema)
        manifest = parse_manifest_from_dbt_generated_manifest(path.read_text("utf-8"))
        self._engine = MetricFlowEngine(SemanticManifestLookup(manifest), PostgresDialect())

    def sql(self, metrics: Sequence[str], group_by: Sequence[str]) -> str:
        """Return the SQL by which it answers a query."""
        from metricflow.engine.metricflow_engine import (  # noqa: PLC0415 - slow
            MetricFlowQueryRequest,
        )

        request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=group_by)
        return str(self._engine.explain(request).sql_statement.sql)


def _relations(manifest: Node) -> Iterator[Node]:
    for model in manifest["semantic_models"]:
        yield model["node_relation"]
    for spine in manifest["project_configuration"]["time_spines"]:
        yield spine["node_relation"]


def _in_schema(alias: str, schema: str) -> Node:
    database = database_name(warehouse_url())
    return {
        "database": database,
        "schema_name": schema,
        "relation_name": f'"{database}"."{schema}"."{alias}"',
    }
