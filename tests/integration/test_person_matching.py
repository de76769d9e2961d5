"""Records of one person become one, and colleagues, families and namesakes do not."""

from collections.abc import Iterator

import pytest

from flows import identity
from flows.core.dbt import run_dbt
from flows.core.warehouse import connect
from tests.fixtures.person_cases import CASES, Case
from tests.fixtures.postgres import forget_settings, new_database
from tests.integration.staged import create_staging, new_run, stage_on


@pytest.fixture(scope="module")
def held_ids(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Match all cases at once, as one company's data; yield each record's contact id."""
    with new_database(postgres_server, migrated_template) as url, pytest.MonkeyPatch.context() as m:
        m.setenv("CONCORD_WAREHOUSE_URL", url)
        m.setenv("CONCORD_HOME", str(tmp_path_factory.mktemp("home")))
        forget_settings()
        create_staging()
        run_id = new_run()
        _stage(run_id)
        identity.standardise(run_id)
        run_dbt(["run", "--select", "path:models/identity"])
        identity.match("contacts", run_id)
        identity.assign(run_id)
        with connect() as connection:
            query = "select source_key, contact_id from identity.contact_crosswalk where is_current"
            yield dict(connection.execute(query).fetchall())
    forget_settings()


def _stage(run_id: int) -> None:
    with connect() as connection:
        for case in CASES:
            for key, _, person in case.keyed():
                values = dict(vars(person))
                system, employer = values.pop("system"), values.pop("employer")
                values |= {"contact_id": key, "account_id": employer}
                stage_on(connection, "contacts", system, run_id, **values)


def _groups(case: Case, held_ids: dict[str, str]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for key, _, _ in case.keyed():
        groups.setdefault(held_ids[key], set()).add(key)
    return {frozenset(keys) for keys in groups.values()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_records_of_one_person_are_one_and_others_are_not(
    case: Case, held_ids: dict[str, str]
) -> None:
    persons: dict[int, set[str]] = {}
    for key, number, _ in case.keyed():
        persons.setdefault(number, set()).add(key)
    assert _groups(case, held_ids) == {frozenset(keys) for keys in persons.values()}


def test_no_person_of_one_case_is_mixed_up_with_one_of_another(held_ids: dict[str, str]) -> None:
    cases: dict[str, set[str]] = {}
    for case in CASES:
        for key, _, _ in case.keyed():
            cases.setdefault(held_ids[key], set()).add(case.title)
    assert [titles for titles in cases.values() if len(titles) > 1] == []
