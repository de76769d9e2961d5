"""Between the warehouse and the engine: CSV files, written and read by COPY."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from psycopg import Connection, sql

from flows.identity.matching.changes import RARE_RECORDS, Scope
from flows.identity.matching.domains import SEPARATOR, Features

CHUNK = 1 << 20
GROUPS_PER_FETCH = 500
FETCHES_AT_ONCE = 50


def export(scope: Scope, folder: Path) -> Mapping[str, Path]:
    """Write the groups, their usable blocks and the frequent values, and return the files."""
    queries = {
        "groups": _groups(scope),
        "blocks": sql.SQL(
            "select member.group_number, member.block from ("
            "select record_groups.group_number, unnest(stored.blocks) as block from record_groups "
            "inner join identity.scored_records as stored "
            "on stored.domain = {domain} and record_groups.record = stored.record) as member "
            "where case when {is_full} then member.block not in (select refused.block "
            "from identity.refused_blocks as refused where refused.domain = {domain}) "
            "else member.block in (select usable.block from usable_blocks as usable) end"
        ).format(domain=sql.Literal(scope.domain.name), is_full=sql.Literal(scope.is_full)),
        "terms": sql.SQL(
            "select term, identity.frequency_bucket(records), records <= {} "
            "from identity.term_frequencies where domain = {} and records > 1 "
            "and ({} or term in (select unnest(stored.terms) from record_groups "
            "inner join identity.scored_records as stored "
            "on stored.domain = {} and record_groups.record = stored.record))"
        ).format(
            sql.Literal(RARE_RECORDS),
            sql.Literal(scope.domain.name),
            sql.Literal(scope.is_full),
            sql.Literal(scope.domain.name),
        ),
    }
    writers = {"blocks": _write_numbers}
    return {
        name: writers.get(name, _copy_out)(scope.connection, query, folder / f"{name}.csv")
        for name, query in queries.items()
    }


def bring_back(scope: Scope, found: Iterable[Path]) -> None:
    """Copy the pairs that the engine found into the warehouse and settle what they change."""
    scope.connection.execute(
        "create temporary table found_pairs (left_group integer, right_group integer, "
        "match_weight double precision, probability double precision, levels jsonb, "
        "weights jsonb) on commit drop"
    )
    with scope.connection.cursor().copy("copy found_pairs from stdin (format csv)") as copy:
        for file in found:
            with file.open("rb") as rows:
                while chunk := rows.read(CHUNK):
                    copy.write(chunk)
    scope.run("settle_pairs")


def _groups(scope: Scope) -> sql.Composable:
    columns = [_exported(column, scope.features) for column in scope.features.columns]
    return sql.SQL(
        "select record_groups.group_number, record_groups.is_affected, record_groups.records, {} "
        "from record_groups inner join {} as records on record_groups.record = records.record"
    ).format(sql.SQL(", ").join(columns), scope.domain.records)


def _exported(column: str, features: Features) -> sql.Composable:
    """Name a column; a list goes as text and, when it is empty, as nothing."""
    named = sql.Identifier("records", column)
    if column not in features.lists:
        return named
    return sql.SQL("nullif(array_to_string({}, {}), '')").format(named, sql.Literal(SEPARATOR))


def _write_numbers(connection: Connection, query: sql.Composable, file: Path) -> Path:
    """Write rows that hold numbers only, group by group: COPY hands over each row by itself."""
    lines = sql.SQL(
        "select string_agg(group_number || ',' || block, e'\\n') || e'\\n' from ({}) as numbers "
        "group by group_number / {}"
    ).format(query, sql.Literal(GROUPS_PER_FETCH))
    with connection.cursor(name="numbers") as cursor, file.open("w", encoding="ascii") as target:
        cursor.itersize = FETCHES_AT_ONCE
        for (text,) in cursor.execute(lines):
            target.write(text)
    return file


def _copy_out(connection: Connection, query: sql.Composable, file: Path) -> Path:
    statement = sql.SQL("copy ({}) to stdout (format csv)").format(query)
    with connection.cursor().copy(statement) as copy, file.open("wb") as target:
        for data in copy:
            target.write(data)
    return file
