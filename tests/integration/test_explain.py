"""Every published value is explained, down to the line of the file that it came from."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flows.cli.main import main
from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.explaining import Cell, build_page, explain, refresh
from flows.explaining.described import HISTORIES
from flows.explaining.explanation import as_tree
from flows.explaining.paths import FOLLOWED
from flows.sandbox import company
from flows.staging import scope
from tests.fixtures.explained import folders, integrate_once, own_warehouse
from tests.fixtures.marts import person, rows
from tests.integration.explained_checks import Findings, check_cell

CELLS = 1000
GUIDE = settings().project_root / "docs" / "analyst_guide.md"
# What some examples look for, and the generated company does not have.
FAULTS_IT_LACKS = (
    "net_amount_reporting is null\ngroup by currency",
    "where d.is_for_review",
    "from marts.order_match_proposals",
    "from marts.sealed_document_breaches",
    "from marts.sealed_documents",
)
PUBLISHED = """
    select table_name, key_columns from ops.explained_tables where is_published order by 1
"""
COLUMNS = """
    select table_name, column_name from ops.explained_columns
    inner join ops.explained_tables using (table_name)
    where is_published order by table_name, position
"""
EXPLAINED = """
    select cells.place, told.*, told.payload::text as payload_text
    from unnest(%s::text[], %s::text[], %s::text[])
    with ordinality as cells (table_name, key, column_name, place)
    cross join lateral ops.explain(cells.table_name, cells.key, cells.column_name) as told
"""

Wanted = tuple[str, str, str]


@dataclass
class World:
    """The generated company, integrated: where its extracts are, and what was planted."""

    url: str
    extracts: Path
    truth: Any


@pytest.fixture(scope="module")
def world(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Integrate the first day once for the module."""
    folder = tmp_path_factory.mktemp("explained")
    with own_warehouse(postgres_server, migrated_template, folder) as url:
        (folder / "extracts").mkdir()
        truth = company.write_company(folder / "extracts")
        integrate_once(folders(folder / "extracts"))
        refresh()
        yield World(url, folder / "extracts", truth)


@pytest.fixture(scope="module")
def next_day(world: World) -> World:
    """Integrate an order whose header no longer agrees with its lines.

    Tests that look into the files of the first day come before.
    """
    [(key,)] = rows("select min(order_id) from marts.orders where net_amount <> 0")
    path = world.extracts / "erp" / "orders.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    order = next(one for one in map(json.loads, lines) if one["order_id"] == key)
    changed = {**order, "net_amount": 1, "modified_at": "2026-11-30T00:00:00+00:00"}
    path.write_text("\n".join([*lines, json.dumps(changed)]) + "\n", encoding="utf-8")
    integrate_once(folders(world.extracts))
    return world


def random_cells(count: int, seed: int) -> list[Wanted]:
    """Choose values of all published marts that have rows, columns of each alike."""
    chance = random.Random(seed)
    with connect() as connection:
        columns = connection.execute(COLUMNS.encode()).fetchall()
        keys = {
            table: keys_of(connection, table, key)
            for table, key in connection.execute(PUBLISHED.encode()).fetchall()
        }
    filled = [(table, column) for table, column in columns if keys[table]]
    chosen = (chance.choice(filled) for _ in range(count))
    return [(table, chance.choice(keys[table]), column) for table, column in chosen]


def keys_of(connection: psycopg.Connection, table: str, key: Sequence[str]) -> list[str]:
    query = f"select concat_ws('|', {', '.join(key)}) as key from marts.{table} order by 1"
    return [one for (one,) in connection.execute(query.encode())]


def explained(cells: Sequence[Wanted]) -> list[Cell]:
    """Explain many values in one query."""
    tables, keys, columns = (list(part) for part in zip(*cells, strict=True))
    with connect() as connection:
        cursor = connection.execute(EXPLAINED.encode(), (tables, keys, columns))
        names = [one.name for one in cursor.description or ()]
        told = [dict(zip(names, row, strict=True)) for row in cursor]
    answers: dict[int, list[dict[str, Any]]] = {}
    for row in told:
        answers.setdefault(row["place"], []).append(row)
    return [
        as_tree(table, key, answers[place]).cells[0]
        for place, (table, key, _) in enumerate(cells, start=1)
    ]


def sources(cell: Cell, part: str) -> list[dict[str, Any]]:
    """Return the sources of one kind, of the value and of all values below it."""
    found = [source for source in cell.sources if source["part"] == part]
    for source in cell.sources:
        found += sources(source["cell"], part) if "cell" in source else []
    return found


def test_a_thousand_random_values_are_explained_down_to_the_delivered_files(world: World) -> None:
    findings = Findings()
    cells = explained(random_cells(CELLS, seed=7))
    for cell in cells:
        check_cell(cell, world.extracts, findings)
    assert findings.faults == []
    assert len(cells) == CELLS
    assert findings.checked["the line is the one in the file"] > CELLS
    assert findings.checked["copied is one of its sources"] > CELLS / 2
    for rule in ("converted is amount by rate", "summed is the sum", "counted is the number"):
        assert findings.checked[rule] >= 10
    assert findings.checked["the owner's value holds"] >= 10


def test_a_wrong_value_is_noticed_by_the_same_checks(world: World) -> None:
    [(key, _)] = rows(
        "select source_system || '|' || order_id, fx_rate from marts.orders "
        "where currency <> reporting_currency and net_amount_reporting is not null limit 1"
    )
    [cell] = explain("orders", str(key), "net_amount_reporting").cells
    right, wrong = Findings(), Findings()
    check_cell(cell, world.extracts, right)
    assert right.faults == []
    cell.value = "0.0001"
    sources(cell, "record")[0]["line"] += 1
    check_cell(cell, world.extracts, wrong)
    assert {fault.partition(":")[0] for fault in wrong.faults} >= {
        "converted is amount by rate",
        "the line is the one in the file",
    }


def test_every_column_of_the_marts_of_documents_and_records_leads_to_its_rows(
    world: World,
) -> None:
    followed = ", ".join(f"'{name}'" for name in sorted(FOLLOWED))
    lost = rows(
        "select inputs.table_name, inputs.column_name, inputs.input "
        "from ops.explained_inputs as inputs where inputs.role = 'value' "
        f"and inputs.table_name in ({followed}) and not exists (select "
        "from ops.explained_paths as paths where paths.table_name = inputs.table_name "
        "and paths.input = inputs.input and inputs.column_name like paths.columns)"
    )
    assert lost == []
    published = {name for (name, _) in rows(PUBLISHED)}
    assert published >= FOLLOWED
    assert published == {
        str(name)
        for (name,) in rows("select viewname::text from pg_views where schemaname = 'marts'")
    }


def test_the_command_and_the_function_give_the_same_answer(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    [(key,)] = rows("select 'erp|' || min(order_id) from marts.orders")
    assert main(["explain", "orders", str(key), "net_amount", "--json"]) == 0
    [cell] = json.loads(capsys.readouterr().out)["cells"]
    told = rows(
        "select source_key, source_value, raw_value, file, line, payload::text "
        f"from ops.explain('orders', '{key}', 'net_amount') where part = 'record'"
    )
    fields = ("source_key", "source_value", "raw_value", "file", "line", "payload")
    assert [tuple(source[name] for name in fields) for source in cell["sources"]] == told
    assert main(["explain", "orders", str(key)]) == 0
    text = capsys.readouterr().out
    assert f"net_amount = {cell['value']}" in text
    assert f"line {told[0][4]}" in text
    assert "published: publication" in text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("order", "erp|SO000001"), "Nearest: orders"),
        (("orders", "erp|SO000001", "net_amout"), "Nearest: net_amount"),
        (("orders", "SO000001"), "its key is source_system|order_id. Nearest: erp|SO000001"),
        (("orders", "nothing"), "Keys look like this: erp|"),
        (("calendar", "someday"), "Keys look like this: 2000-01-01"),
    ],
)
def test_what_is_not_there_is_a_usage_error_that_names_what_comes_close(
    world: World, capsys: pytest.CaptureFixture[str], given: Sequence[str], expected: str
) -> None:
    assert main(["explain", *given]) == 2
    assert expected in capsys.readouterr().err


def test_an_analyst_is_told_where_a_value_comes_from_but_no_payload(world: World) -> None:
    [(key,)] = rows("select 'erp|' || min(order_id) from marts.orders")
    query = (
        "select source_key, source_value, file, line, payload::text, details "
        f"from marts.explain('orders', '{key}', 'net_amount') where part = 'record'"
    )
    with person(world.url, "concord_analyst") as url:
        told = rows(query, url)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(f"select * from ops.explain('orders', '{key}', 'net_amount')", url)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(f"select * from marts.explained_unmasked('orders', '{key}', null)", url)
    assert told
    assert all(value and file and line for _, value, file, line, _, _ in told)
    assert {(payload, details) for *_, payload, details in told} == {(None, None)}


def test_personal_data_in_an_explanation_is_for_those_who_were_granted_it(world: World) -> None:
    [(key, email)] = rows(
        "select customer_id || '|' || contact_key, email from marts.customer_contacts "
        "where email is not null order by 1 limit 1"
    )
    query = f"select * from marts.explain('customer_contacts', '{key}', 'email')"
    with person(world.url, "concord_analyst") as url:
        assert str(email).lower() not in str(rows(query, url)).lower()
    with person(world.url, "concord_analyst", "concord_personal_data") as url:
        assert str(email).lower() in str(rows(query, url)).lower()


def test_the_lineage_page_names_raw_fields_and_fetches_nothing(
    world: World, tmp_path: Path
) -> None:
    content = build_page(tmp_path / "lineage.html").read_text(encoding="utf-8")
    for name, _ in rows(PUBLISHED):
        assert f"marts.{name}</h2>" in content
    assert "staging.orders.net_amount: raw_erp: net_amount" in content
    assert not re.search(r"(src|href)=|https?://", content)


def test_the_histories_are_those_that_staging_keeps() -> None:
    assert {name: of for of, name in scope.HISTORIES.items()} == HISTORIES


def examples() -> list[str]:
    """Return every query of the analyst guide."""
    return re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(examples())))
def test_every_query_of_the_analyst_guide_answers_an_analyst(world: World, number: int) -> None:
    query = examples()[number]
    with person(world.url, "concord_analyst") as url:
        found = rows(query, url)
    assert found or any(fault in query for fault in FAULTS_IT_LACKS)


def test_every_published_table_has_a_query_in_the_analyst_guide(world: World) -> None:
    queries = " ".join(examples())
    missing = {name for name, _ in rows(PUBLISHED) if not re.search(rf"marts\.{name}\b", queries)}
    assert missing == set()


def test_a_ruling_behind_an_id_is_told_with_who_when_and_why(world: World) -> None:
    [(customer, left, right)] = rows(
        "select customer_id, min(source_system || '|' || entity || '|' || source_key), "
        "max(source_system || '|' || entity || '|' || source_key) from marts.customer_crosswalk "
        "where is_current group by 1 having count(*) > 1 order by 1 limit 1"
    )
    with connect() as connection:
        connection.execute(
            "insert into ops.decisions "
            "(domain, left_record, right_record, ruling, reason, decided_by) "
            "values ('customers', %s, %s, 'same', 'one letterhead', 'Ines')",
            (left, right),
        )
    [cell] = explain("customers", str(customer), "customer_id").cells
    rulings = sources(cell, "ruling")
    assert {(one["details"]["decided_by"], one["details"]["reason"]) for one in rulings} == {
        ("Ines", "one letterhead")
    }
    assert {one["details"]["decided_at"][:4] for one in rulings} == {
        str(rows("select extract(year from now())::integer")[0][0])
    }


def test_a_newer_version_that_is_held_back_is_told_with_its_reason(next_day: World) -> None:
    [(key, reason)] = rows(
        "select distinct 'erp|' || document_key, rule from ops.failures "
        "where document_type = 'order' and document_key in (select order_id from marts.orders)"
    )
    [cell] = explain("orders", str(key), "net_amount").cells
    held, records = sources(cell, "held back"), sources(cell, "record")
    assert any(str(reason) in one["note"] for one in held)
    assert min(one["batch_id"] for one in held) > max(one["batch_id"] for one in records)
    assert cell.value == next(one["source_value"] for one in records if one["is_used"])
