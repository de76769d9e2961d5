"""The lineage of all marts, worked out from their compiled SQL and kept where SQL can read it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version

from psycopg import Connection
from psycopg.types.json import Jsonb

from flows.core import canonical
from flows.core.databases import database_name
from flows.core.dbt import kept_in, run_dbt, target_path
from flows.core.kept import kept
from flows.core.signature import remember, remembered, signature
from flows.core.warehouse import connect, warehouse_url
from flows.explaining.described import HISTORIES, DescribedMart, described_marts, marts_folder
from flows.explaining.hops import Path
from flows.explaining.kinds import COMPUTED, CONVERTED
from flows.explaining.lineage import Derivation, Origin, derivations
from flows.explaining.paths import PATHS, Keys, paths_of

KEY = "explained_models"
KEPT = "lineage.pickle"
# Raised when what is kept, or how it is worked out, changes here.
EDITION = "1"
_LOCK = "select pg_advisory_xact_lock(hashtext('concord.explaining'))"
_COLUMNS = """
select
    case when namespace.nspname like 'marts\\__' then 'marts' else namespace.nspname end
    || '.' || relation.relname,
    attribute.attname,
    format_type(attribute.atttypid, attribute.atttypmod)
from pg_attribute as attribute
inner join pg_class as relation on relation.oid = attribute.attrelid
inner join pg_namespace as namespace on namespace.oid = relation.relnamespace
where namespace.nspname in ('staging', 'identity', 'ops', 'marts_a', 'marts_b')
    and relation.relkind in ('r', 'v', 'm', 'p')
    and attribute.attnum > 0
    and not attribute.attisdropped
order by relation.oid, attribute.attnum
"""

Columns = Mapping[str, Mapping[str, str]]
Found = dict[str, Derivation]


@dataclass(frozen=True)
class ExplainedMart:
    """A mart with how each of its columns comes about and how its rows lead to their inputs."""

    described: DescribedMart
    derivations: Mapping[str, Derivation]
    paths: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The name of the mart."""
        return self.described.name


def refresh(*, force: bool = False) -> bool:
    """Bring what explains published values in line with the models; say whether it changed.

    Costs one look-up unless a model or macro changed. The marts must have been built once.
    """
    current = f"{EDITION}-{signature('models/marts', 'macros')}"
    with connect() as connection:
        if not force and remembered(connection, KEY) == current:
            return False
    marts = explained_marts()
    with connect() as connection:
        connection.execute(_LOCK)
        _store(connection, marts)
        remember(connection, KEY, current)
    return True


def explained_marts() -> list[ExplainedMart]:
    """Work out the lineage of every mart from its compiled SQL."""
    described = described_marts()
    compiled = _compile()
    columns = _columns_of_the_warehouse()
    found = _derivations({name: compiled[name] for name in described if name in compiled}, columns)
    keys = _keys(described, columns)
    return [_explained(described[name], found[name], keys) for name in sorted(found)]


def _compile() -> dict[str, str]:
    select = ["--select", "path:models/marts", "--full-refresh", "--no-write-json"]
    run_dbt(["compile", *select])
    folder = target_path() / "compiled" / "concord" / "models" / "marts"
    models = {path.stem for path in marts_folder().rglob("*.sql")}
    return {
        path.stem: _placeless(path.read_text(encoding="utf-8"))
        for path in folder.rglob("*.sql")
        if path.stem in models
    }


def _placeless(compiled: str) -> str:
    """Return the SQL as it would be in any database and either slot."""
    database = f'"{database_name(warehouse_url())}".'
    return (
        compiled.replace(database, "")
        .replace('"marts_a".', '"marts".')
        .replace('"marts_b".', '"marts".')
    )


def _columns_of_the_warehouse() -> Columns:
    found: dict[str, dict[str, str]] = {}
    with connect() as connection:
        for relation, column, data_type in connection.execute(_COLUMNS):
            found.setdefault(relation, {})[column] = data_type
    return found


def _keys(described: Mapping[str, DescribedMart], columns: Columns) -> Keys:
    return Keys(
        marts={name: mart.key for name, mart in described.items()},
        columns={
            **{relation: tuple(known) for relation, known in columns.items()},
            **{name: mart.column_names for name, mart in described.items()},
        },
        staged={one.name: one.key[0] for one in canonical.entities() if len(one.key) == 1},
    )


def _derivations(compiled: Mapping[str, str], columns: Columns) -> dict[str, Found]:
    """Read every model's SQL, which takes seconds; the same SQL has been read before, mostly."""
    read = json.dumps([EDITION, version("sqlglot"), compiled, columns], sort_keys=True)
    return kept(
        KEPT,
        sha256(read.encode()).hexdigest(),
        lambda: {name: derivations(text, columns) for name, text in compiled.items()},
        kept_in(),
    )


def _explained(mart: DescribedMart, found: Mapping[str, Derivation], keys: Keys) -> ExplainedMart:
    named = {name: _as_declared(mart.name, one) for name, one in found.items()}
    told = {name: _by_own_cells(mart, name, named) for name in mart.column_names if name in named}
    inputs = sorted({one.input for derived in told.values() for one in derived.origins})
    return ExplainedMart(mart, told, tuple(paths_of(mart.name, inputs, keys)))


def _as_declared(table: str, derived: Derivation) -> Derivation:
    """Keep the aliases that paths tell apart, and no other."""
    kept = {path.input for path in PATHS.get(table, ())}
    origins = frozenset(
        one if one.input in kept else Origin(one.relation, "", one.column, one.role)
        for one in derived.origins
    )
    return Derivation(derived.kind, derived.formula, origins)


def _by_own_cells(mart: DescribedMart, name: str, found: Mapping[str, Derivation]) -> Derivation:
    """Explain an amount in reporting currency by the amount and the rate beside it.

    Only where the SQL says the same: it is made of exactly what those two are made of.
    """
    derived, amount = found[name], found.get(name.removesuffix("_reporting"))
    rate = found.get("fx_rate")
    if derived.kind != CONVERTED:
        return derived
    if amount and rate and _values(derived) == _values(amount) | _values(rate):
        own = (name.removesuffix("_reporting"), "fx_rate")
        origins = frozenset(Origin(f"marts.{mart.name}", "", column) for column in own)
        return Derivation(CONVERTED, derived.formula, origins)
    # Of more than an amount and a rate, the product is only the last step.
    kind = CONVERTED if len(_values(derived)) == len(("amount", "rate")) else COMPUTED
    return Derivation(kind, derived.formula, derived.origins)


def _values(derived: Derivation) -> frozenset[tuple[str, str]]:
    return frozenset((one.input, one.column) for one in derived.origins if one.role == "value")


def _store(connection: Connection, marts: list[ExplainedMart]) -> None:
    connection.execute("delete from ops.explained_tables")
    connection.execute("delete from ops.explained_documents")
    _insert(
        connection,
        "explained_tables (table_name, key_columns, description, is_published)",
        _tables(marts),
    )
    _insert(
        connection,
        "explained_columns (table_name, column_name, position, description, kind, formula, rules,"
        " view_expression)",
        _described_columns(marts),
    )
    _insert(
        connection,
        "explained_inputs (table_name, column_name, input, source_column, role)",
        _inputs(marts),
    )
    _insert(
        connection,
        "explained_paths (table_name, input, number, columns, applies, column_named_by, taken,"
        " is_exact, hops)",
        _paths(marts),
    )
    _insert(
        connection,
        "explained_documents (entity, document_type, document_key, key_columns, raw_entity)",
        _documents(),
    )


def _documents() -> Iterator[tuple[object, ...]]:
    for one in canonical.entities():
        for name in (one.name, *(name for name, of in HISTORIES.items() if of == one.name)):
            yield name, one.document_type, one.document_key, list(one.key), one.name


def _insert(connection: Connection, target: str, rows: Iterator[tuple[object, ...]]) -> None:
    listed = list(rows)
    if listed:
        places = ", ".join(["%s"] * len(listed[0]))
        with connection.cursor() as cursor:
            statement = f"insert into ops.{target} values ({places})"
            cursor.executemany(statement.encode(), listed)


def _tables(marts: list[ExplainedMart]) -> Iterator[tuple[object, ...]]:
    for mart in marts:
        one = mart.described
        yield one.name, list(one.key), one.description, one.is_published


def _described_columns(marts: list[ExplainedMart]) -> Iterator[tuple[object, ...]]:
    for mart in marts:
        for place, column in enumerate(mart.described.columns, start=1):
            if derived := mart.derivations.get(column.name):
                yield (
                    *(mart.name, column.name, place, column.description, derived.kind),
                    *(list(derived.formula), list(column.rules), column.view_expression),
                )


def _inputs(marts: list[ExplainedMart]) -> Iterator[tuple[object, ...]]:
    for mart in marts:
        for name, derived in mart.derivations.items():
            for one in sorted(derived.origins):
                yield mart.name, name, one.input, one.column, one.role


def _paths(marts: list[ExplainedMart]) -> Iterator[tuple[object, ...]]:
    for mart in marts:
        numbers: dict[str, int] = {}
        for path in mart.paths:
            numbers[path.input] = numbers.get(path.input, 0) + 1
            yield (
                *(mart.name, path.input, numbers[path.input], path.columns),
                *(Jsonb(dict(path.applies)), path.column_named_by),
                *(path.taken or len(path.hops), path.is_exact),
                Jsonb([hop.as_json() for hop in path.hops]),
            )
