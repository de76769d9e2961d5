"""The mapping of Business Central to the canonical model: its own tests, and its shape."""

import pytest

from flows.core import canonical
from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from flows.landing.canonical_selects import columns_of
from flows.sources.business_central.objects import ENTITIES
from flows.sources.vendors import relation_name

COLUMNS = """
select attname, format_type(atttypid, atttypmod) from pg_attribute
where attrelid = %s::regclass and attnum > 0 order by attnum
"""


@pytest.mark.usefixtures("business_central_warehouse")
def test_every_rule_of_the_mapping_holds() -> None:
    run_dbt(["test", "--select", "path:models/staging/business_central"])


@pytest.mark.usefixtures("business_central_warehouse")
def test_every_mapped_entity_has_the_columns_of_its_canonical_view() -> None:
    with connect() as connection:
        for name in sorted({entity for found in ENTITIES.values() for entity in found}):
            view = f"raw.{relation_name('business_central', name)}"
            found = connection.execute(COLUMNS, (view,)).fetchall()
            assert found == columns_of(canonical.entity(name)), name
