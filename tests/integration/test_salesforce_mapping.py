"""The mapping of Salesforce to the canonical model: its own tests, its shape, and its needs."""

import re
from pathlib import Path

import pytest

from flows.core import canonical
from flows.core.dbt import run_dbt
from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.landing.canonical_selects import columns_of
from flows.landing.vendor_views import build_models
from flows.sources.salesforce.credentials_block import SalesforceCredentials
from flows.sources.salesforce.objects import ENTITIES, NEEDED
from flows.sources.vendors import relation_name

MODELS = settings().dbt_project / "models" / "staging" / "salesforce"
COLUMNS = """
select attname, format_type(atttypid, atttypmod) from pg_attribute
where attrelid = %s::regclass and attnum > 0 order by attnum
"""
TAKEN = re.compile(
    r"source\('salesforce', '(\w+)'\), \[(.*?)\](?:, objects=\[(.*?)\])?\)", re.DOTALL
)


@pytest.mark.usefixtures("salesforce_warehouse")
def test_every_rule_of_the_mapping_holds() -> None:
    run_dbt(["test", "--select", "path:models/staging/salesforce"])


@pytest.mark.usefixtures("salesforce_warehouse")
def test_every_mapped_entity_has_the_columns_of_its_canonical_view() -> None:
    entities = {entity for found in ENTITIES.values() for entity in found}
    with connect() as connection:
        for name in sorted(entities):
            view = f"raw.{relation_name('salesforce', name)}"
            found = connection.execute(COLUMNS, (view,)).fetchall()
            assert found == columns_of(canonical.entity(name)), name


@pytest.mark.usefixtures("salesforce_warehouse")
def test_views_that_stay_the_same_are_not_made_again() -> None:
    made = "select oid, xmin::text from pg_class where relname = 'salesforce_accounts'"
    with connect() as connection:
        before = connection.execute(made).fetchall()
        connection.execute("delete from ops.settings where key = 'models_of_salesforce'")
    assert build_models("salesforce")
    assert not build_models("salesforce")
    with connect() as connection:
        assert connection.execute(made).fetchall() == before


def taken_fields(model: Path) -> dict[str, set[str]]:
    """Return the fields that a model takes, by relation."""
    taken: dict[str, set[str]] = {}
    for relation, texts, objects in TAKEN.findall(model.read_text("utf-8")):
        taken.setdefault(relation, set()).update(re.findall(r"'(\w+)'", f"{texts},{objects}"))
    return taken


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_every_field_that_must_stay_readable_is_one_that_the_mapping_takes(name: str) -> None:
    taken: set[str] = set()
    macros = settings().dbt_project / "macros" / "salesforce.sql"
    for model in [*MODELS.glob("*.sql"), macros]:
        taken |= taken_fields(model).get(relation_name("salesforce", name), set())
    assert sorted(NEEDED[name] - taken) == []


def test_a_form_holds_what_a_connection_needs() -> None:
    form = SalesforceCredentials(client_id="id-of-the-app", client_secret="its-secret")  # type: ignore[arg-type]
    assert form.options() == {"client_id": "id-of-the-app", "client_secret": "its-secret"}
    assert "its-secret" not in repr(form)
