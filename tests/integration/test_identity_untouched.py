"""Records are computed where something changed, and only there."""

import pytest

from flows import identity
from flows.core.warehouse import connect
from tests.integration.staged import create_staging, new_run, stage


def computed(name: str, version: int) -> set[str]:
    """Compute records after one row was staged, and return the tables of identity there are."""
    stage(
        name,
        "crm",
        version,
        **({"account_id": "A1"} if name == "accounts" else {"contact_id": f"K{version}"}),
    )
    identity.standardise(version)
    identity.compute_records(version)
    with connect() as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'identity'"
        )
        return {name for (name,) in tables}


@pytest.mark.usefixtures("warehouse")
def test_the_models_of_a_domain_without_changes_are_not_run() -> None:
    create_staging()
    assert {"customer_records", "contact_key_clashes"} <= computed("accounts", new_run())
    with connect() as connection:
        connection.execute("drop table identity.contact_key_clashes")
    assert "contact_key_clashes" not in computed("accounts", new_run())
    assert "contact_key_clashes" in computed("contacts", new_run())
    with connect() as connection:
        contacts = connection.execute("select count(*) from identity.contact_records").fetchone()
    assert contacts == (1,)
