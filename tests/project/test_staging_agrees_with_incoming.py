"""The yml of incoming defines the canonical model; the staging contracts must repeat it."""

from typing import Any

import pytest
import yaml

from flows.core.canonical import Entity, entities
from flows.core.settings import settings

TECHNICAL = ["source_system", "kind", "source_key"]
BOOKKEEPING = ["deleted_at", "batch_id", "raw_id", "version", "staged_at"]


def staging_model(entity: Entity) -> dict[str, Any]:
    path = settings().dbt_project / "models" / "staging" / f"stg_{entity.name}.yml"
    model: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0]
    return model


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.name)
def test_staging_repeats_the_columns_types_and_descriptions(entity: Entity) -> None:
    columns = staging_model(entity)["columns"]

    assert [column["name"] for column in columns] == [
        *TECHNICAL,
        *entity.column_names,
        *BOOKKEEPING,
    ]
    for column in columns[len(TECHNICAL) : -len(BOOKKEEPING)]:
        defined = entity.column(column["name"])
        assert column["data_type"] == defined.data_type
        if defined.name != "is_deleted":  # staging says more: it knows delete notices too
            assert column["description"] == defined.description


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.name)
def test_every_staging_table_is_named_as_its_entity_with_a_primary_key(entity: Entity) -> None:
    model = staging_model(entity)

    assert model["config"]["alias"] == entity.name
    assert model["constraints"] == [
        {"type": "primary_key", "columns": ["source_system", "source_key"]}
    ]
