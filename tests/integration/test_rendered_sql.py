"""What only dbt can render keeps to the SQL rules too, as far as a macro can."""

import pytest
import sqlfluff

from flows.core.dbt import run_dbt, target_path
from flows.core.settings import settings

# One model for every macro that writes a whole model.
MODELS = ["incoming_orders", "incoming_documents", "stg_orders", "stg_deletes"]
# Without layout: a macro cannot know how deep the place is where it is called. Without references
# and structure: macros join wide rows with `using` and qualify columns that a caller may join.
RULES = ["aliasing", "ambiguous", "capitalisation", "convention"]
# `offset 0` without an order is how the macros fence off what is to be evaluated only once.
FENCE = "AM09"


@pytest.fixture
def compiled(warehouse: str) -> dict[str, str]:
    run_dbt(["compile", "--select", *MODELS])
    files = target_path().glob("compiled/**/*.sql")
    # The quotes are dbt's, around the names of relations.
    return {path.stem: path.read_text(encoding="utf-8").replace('"', "") for path in files}


def test_rendered_models_keep_to_the_sql_rules(compiled: dict[str, str]) -> None:
    config = str(settings().dbt_project / ".sqlfluff")
    found = {
        model: sqlfluff.lint(compiled[model], config_path=config, rules=RULES) for model in MODELS
    }
    assert {
        f"{model}:{one['start_line_no']}: {one['code']} {one['description']}"
        for model, violations in found.items()
        for one in violations
        if one["code"] != FENCE
    } == set()
