"""The rows of a slot that the marts gate has to judge: what was written since it judged last.

A mart is judged in part when its table is the one judged before, by the same rules, and every rule
says what it depends on. All else was judged, did not change, and what failed then is judged again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from psycopg import Connection, sql

from flows.core.settings import settings
from flows.gates.listing import Table

SCHEMA = "judged"
ROW_COUNT = "expect_table_row_count_to_be_between"
DEPENDS_ON = "judge_again_when"
Expectation = dict[str, Any]
# The failing keys of the last time must all be known, or they would be taken for sound.
JUDGED_BEFORE = """
select judged.mart, judged.rules, judged.run_id
from ops.judged_marts as judged
where
    judged.slot = %(slot)s
    and judged.storage
        = pg_relation_filenode(to_regclass(format('%%I.%%I', %(schema)s::text, judged.mart)))
    and (
        select coalesce(sum(failed_count), 0) from ops.verdicts
        where run_id = judged.run_id and promotion = 'marts' and suite = 'marts__' || judged.mart
    ) = (
        select count(source_key) from ops.failures
        where run_id = judged.run_id and promotion = 'marts' and entity = judged.mart
    )
"""
REWRITTEN = """
select mart, key_column, bool_and(source_system is not null), count(*)
from ops.rewritten_keys where slot = %s group by mart, key_column
"""
PART = """
create unlogged table {part} as
select mart.* from {mart} as mart where mart.ctid = any(array({rows}))
"""
WRITTEN = """
select written.ctid from {mart} as written
inner join ops.rewritten_keys as rewritten
    on rewritten.slot = {slot} and rewritten.mart = {other} and {matches}
"""
LOST = " and not exists (select from {other} as kept where {is_kept})"
FAILED = """
select failed.ctid from {mart} as failed
inner join ops.failures as failure
    on failure.run_id = {run_id} and failure.promotion = 'marts' and failure.entity = {name}
    and failure.rule = {rule} and failure.source_key = concat_ws('|', {keys}) {and_system}
"""
REMEMBER = """
insert into ops.judged_marts (slot, mart, storage, rules, run_id)
select %(slot)s, mart, pg_relation_filenode(to_regclass(format('%%I.%%I', %(schema)s::text, mart))),
    rules, %(run_id)s
from unnest(%(marts)s::text[], %(rules)s::text[]) as judged (mart, rules)
"""


@dataclass(frozen=True)
class Rewritten:
    """How the keys of one mart's replaced rows are noted."""

    key_column: str
    has_system: bool


@dataclass(frozen=True)
class _Slot:
    """What is known of a slot before it is judged."""

    name: str
    schema: str
    judged: Mapping[str, tuple[str, int]]
    rewritten: Mapping[str, Rewritten]


def parts(connection: Connection, slot: str, marts: Iterable[str]) -> dict[str, Table]:
    """Gather, of each mart that needs no more, the rows to judge; the others are left out."""
    known = _read(connection, slot)
    found: dict[str, Table] = {}
    for mart in marts:
        expectations = expectations_of(mart)
        if _is_enough(known, mart, expectations):
            found[mart] = _gather(connection, known, mart, expectations)
    return found


def remember(connection: Connection, slot: str, run_id: int, marts: Iterable[str]) -> None:
    """Note that all of the slot is judged as it is now; to be called with what was found."""
    judged = list(marts)
    connection.execute("delete from ops.judged_marts where slot = %s", (slot,))
    connection.execute("delete from ops.rewritten_keys where slot = %s", (slot,))
    connection.execute(
        REMEMBER.encode(),
        {
            "slot": slot,
            "schema": f"marts_{slot}",
            "run_id": run_id,
            "marts": judged,
            "rules": [_signature(expectations_of(mart)) for mart in judged],
        },
    )


def clear(connection: Connection, marts: Iterable[str]) -> None:
    """Drop what was gathered."""
    for mart in marts:
        connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(SCHEMA, mart)))


def _read(connection: Connection, slot: str) -> _Slot:
    schema = f"marts_{slot}"
    judged = connection.execute(JUDGED_BEFORE.encode(), {"slot": slot, "schema": schema})
    rewritten = connection.execute(REWRITTEN, (slot,))
    return _Slot(
        slot,
        schema,
        {mart: (rules, run_id) for mart, rules, run_id in judged},
        {mart: Rewritten(column, has_system) for mart, column, has_system, _ in rewritten},
    )


def _is_enough(known: _Slot, mart: str, expectations: list[Expectation]) -> bool:
    if known.judged.get(mart, ("", 0))[0] != _signature(expectations):
        return False
    for node in expectations:
        if node["type"] == ROW_COUNT:
            continue
        reads = node["meta"].get(DEPENDS_ON)
        if reads is None or any(one["mart"] not in known.judged for one in reads):
            return False
    return True


def _gather(
    connection: Connection, known: _Slot, mart: str, expectations: list[Expectation]
) -> Table:
    clear(connection, [mart])
    rows = [*_written(known, mart, expectations), *_failed(connection, known, mart, expectations)]
    part = sql.Identifier(SCHEMA, mart)
    statement = sql.SQL(PART).format(
        part=part,
        mart=sql.Identifier(known.schema, mart),
        rows=sql.SQL(" union ").join(rows or [sql.SQL("select null::tid")]),
    )
    count = connection.execute(statement).rowcount
    connection.execute(sql.SQL("analyze {}").format(part))
    return Table(SCHEMA, mart, count)


def _written(known: _Slot, mart: str, expectations: list[Expectation]) -> Iterator[sql.Composable]:
    if own := known.rewritten.get(mart):
        columns = ["source_system"] if own.has_system else []
        yield _rows_of(known, mart, mart, [*columns, own.key_column])
    for read in {json.dumps(one): one for node in expectations for one in _reads(node)}.values():
        if other := known.rewritten.get(read["mart"]):
            rows = _rows_of(known, mart, read["mart"], read["key"])
            yield rows if read["is"] == "rewritten" else rows + _lost(known, read, other)


def _reads(node: Expectation) -> list[Expectation]:
    return list(node["meta"].get(DEPENDS_ON) or ())


def _rows_of(known: _Slot, mart: str, other: str, key: list[str]) -> sql.Composed:
    sides = zip(("key", "source_system"), reversed(key), strict=False)
    return sql.SQL(WRITTEN).format(
        mart=sql.Identifier(known.schema, mart),
        slot=sql.Literal(known.name),
        other=sql.Literal(other),
        matches=_equal("rewritten", "written", sides),
    )


def _lost(known: _Slot, read: dict[str, Any], other: Rewritten) -> sql.Composed:
    own = [*(["source_system"] if other.has_system else []), other.key_column]
    sides = zip(("key", "source_system"), reversed(own), strict=False)
    return sql.SQL(LOST).format(
        other=sql.Identifier(known.schema, read["mart"]),
        is_kept=_equal("rewritten", "kept", sides),
    )


def _equal(left: str, right: str, sides: Iterable[tuple[str, str]]) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}::text").format(sql.Identifier(left, mine), sql.Identifier(right, theirs))
        for mine, theirs in sides
    )


def _failed(
    connection: Connection, known: _Slot, mart: str, expectations: list[Expectation]
) -> Iterator[sql.Composable]:
    run_id = known.judged[mart][1]
    failing = connection.execute(
        "select distinct rule from ops.failures "
        "where run_id = %s and promotion = 'marts' and entity = %s",
        (run_id, mart),
    )
    rules = {rule for (rule,) in failing}
    for node in expectations:
        if node["meta"]["rule"] in rules:
            yield _rows_that_failed(known, mart, run_id, node["meta"])


def _rows_that_failed(
    known: _Slot, mart: str, run_id: int, meta: Mapping[str, Any]
) -> sql.Composable:
    keys = [name for name in meta["key"] if name != "source_system"]
    same = " and failure.source_system is not distinct from failed.source_system"
    return sql.SQL(FAILED).format(
        mart=sql.Identifier(known.schema, mart),
        run_id=sql.Literal(run_id),
        name=sql.Literal(mart),
        rule=sql.Literal(meta["rule"]),
        keys=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(k)) for k in keys),
        and_system=sql.SQL(same if "source_system" in meta["key"] else ""),
    )


def expectations_of(mart: str) -> list[Expectation]:
    """Return the expectations of a mart's suite as they are written."""
    path = settings().expectations / "suites" / f"marts__{mart}.json"
    found: list[Expectation] = json.loads(path.read_text("utf-8"))["expectations"]
    return found


def _signature(expectations: list[Expectation]) -> str:
    return sha256(json.dumps(expectations, sort_keys=True).encode()).hexdigest()[:16]
