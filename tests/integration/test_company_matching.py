"""Companies that are one become one, and companies that only share an address do not."""

from collections.abc import Iterator

import pytest

from flows import identity
from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.fixtures.company_cases import CASES, Case
from tests.fixtures.postgres import forget_settings, new_database
from tests.integration.staged import create_staging, new_run, stage_on


@pytest.fixture(scope="module")
def held_ids(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Match all cases at once, as one company's data; yield each record's customer id."""
    with new_database(postgres_server, migrated_template) as url, pytest.MonkeyPatch.context() as m:
        m.setenv("CONCORD_WAREHOUSE_URL", url)
        m.setenv("CONCORD_HOME", str(tmp_path_factory.mktemp("home")))
        forget_settings()
        create_staging()
        run_id = new_run()
        _stage(run_id)
        identity.standardise(run_id)
        run_dbt(["run", "--select", "path:models/identity"])
        identity.match("customers", run_id)
        identity.assign(run_id)
        with connect() as connection:
            query = (
                "select source_key, customer_id from identity.customer_crosswalk where is_current"
            )
            yield dict(connection.execute(query).fetchall())
    forget_settings()


def _stage(run_id: int) -> None:
    with connect() as connection:
        for case in CASES:
            for key, _, listed in case.keyed():
                common = {
                    "name": listed.name,
                    "phone": listed.phone,
                    "website": listed.site,
                    "registration_id": listed.registration_id,
                }
                place = {
                    "street": listed.street,
                    "postal_code": listed.postal_code,
                    "city": listed.city,
                    "country": "NO",
                }
                if listed.system == "crm":
                    billing = {f"billing_{name}": value for name, value in place.items()}
                    values = {"account_id": key, **common, **billing}
                    stage_on(connection, "accounts", "crm", run_id, **values)
                else:
                    values = {"customer_id": key, **common}
                    stage_on(connection, "customers", "erp", run_id, **values)
                    address = {"address_id": key, "customer_id": key, "role": "both", **place}
                    stage_on(connection, "addresses", "erp", run_id, **address)


def _groups(case: Case, held_ids: dict[str, str]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for key, _, _ in case.keyed():
        groups.setdefault(held_ids[key], set()).add(key)
    return {frozenset(keys) for keys in groups.values()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_records_of_one_company_are_one_and_others_are_not(
    case: Case, held_ids: dict[str, str]
) -> None:
    companies: dict[int, set[str]] = {}
    for key, number, _ in case.keyed():
        companies.setdefault(number, set()).add(key)
    assert _groups(case, held_ids) == {frozenset(keys) for keys in companies.values()}


def test_no_case_is_mixed_up_with_another(held_ids: dict[str, str]) -> None:
    cases: dict[str, set[str]] = {}
    for case in CASES:
        for key, _, _ in case.keyed():
            cases.setdefault(held_ids[key], set()).add(case.title)
    assert [titles for titles in cases.values() if len(titles) > 1] == []
