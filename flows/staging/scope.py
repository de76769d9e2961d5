"""What a run has to read, judge, stage and build: what waits, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import Connection, sql

from flows.core.canonical import entities
from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.core.yaml_files import read_yaml
from flows.staging.currency import reporting_currency
from flows.staging.signature import marts_signature, staging_is_outdated

# What identity is made of, in dbt and in Python; a test holds it to the models.
RECORDS = ("accounts", "addresses", "contacts", "customers", "products")
# Of these every version is kept, not only the newest one.
HISTORIES = {
    "opportunities": "opportunity_versions",
    "opportunity_lines": "opportunity_line_versions",
}
PENDING = "('landed', 'refused', 'accepted')"


@dataclass(frozen=True)
class Plan:
    """The entities to build, whether all of staging and marts is rebuilt, and whether marts lag."""

    entities: tuple[str, ...]
    is_full: bool
    marts_lag: bool

    @property
    def is_nothing(self) -> bool:
        """Whether the published marts already hold everything there is."""
        return not (self.entities or self.is_full or self.marts_lag)


def plan_of_work(*, full: bool) -> Plan:
    """Return what the pending batches, the open quarantine and changed models ask for.

    Held rows are judged again whenever anything else is, and when models, rules or tolerances
    changed; on their own they would only fail again.
    """
    with connect() as connection:
        wanted = _pending(connection) | _missing(connection)
        is_full = full or staging_is_outdated(connection)
        if wanted or is_full:
            wanted |= _quarantined(connection)
        lag = bool(wanted) or _marts_lag(connection)
        return Plan(tuple(sorted(wanted)), is_full, lag)


def models_to_stage(plan: Plan) -> list[str]:
    """Return the staging models that the rows of the plan's entities are merged into."""
    names = [*plan.entities, *(HISTORIES[name] for name in plan.entities if name in HISTORIES)]
    return ["stg_deletes", *(f"stg_{name}" for name in names)]


def marts_to_catch_up(connection: Connection, since: int) -> list[str]:
    """Return what dbt selects to bring a slot up to date: the marts made of what changed since.

    Tables of identity that do not say when their rows changed count as changed.
    """
    changed = [f"stg_{name}" for name in _changed(connection, "staging", since)]
    changed += [f"source:identity.{name}" for name in _changed(connection, "identity", since)]
    return [f"{name}+,path:models/marts" for name in changed]


def catch_up_selection(connection: Connection, since: int) -> list[str]:
    """Return dbt's arguments that bring a slot up to date.

    Left out are marts whose rows no source ever delivered; their `rows_of` names the table.
    """
    empty = [
        f"config.meta.rows_of:stg_{name}"
        for name in _staged_tables()
        if not _version(connection, "staging", name)
    ]
    selected = ["--select", *marts_to_catch_up(connection, since)]
    return [*selected, "--exclude", *empty] if empty else selected


def records_changed_since(connection: Connection, run_id: int) -> bool:
    """Say whether a record that identity is made of was staged after a run."""
    return any(_version(connection, "staging", name) > run_id for name in RECORDS)


def _changed(connection: Connection, schema: str, since: int) -> Iterator[str]:
    dated = _names(
        connection,
        sql.SQL(
            "select table_name from information_schema.columns "
            "where table_schema = {} and column_name = 'version'"
        ).format(schema),
    )
    for name in _staged_tables() if schema == "staging" else _identity_tables():
        if name not in dated or _version(connection, schema, name) > since:
            yield name


def _staged_tables() -> list[str]:
    return sorted([*(entity.name for entity in entities()), *HISTORIES.values()])


def _identity_tables() -> list[str]:
    path = settings().dbt_project / "models" / "identity" / "identity_sources.yml"
    (source,) = read_yaml(path)["sources"]
    return sorted(table["name"] for table in source["tables"])


def _version(connection: Connection, schema: str, table: str) -> int:
    row = connection.execute(
        sql.SQL("select coalesce(max(version), 0) from {}").format(sql.Identifier(schema, table))
    ).fetchone()
    return int(row[0]) if row else 0


def clear_incoming(connection: Connection, keep: frozenset[str]) -> None:
    """Empty every `incoming` table that this run does not rebuild: no row is judged twice."""
    for table in _tables(connection, "incoming") - keep - {"documents"}:
        connection.execute(sql.SQL("truncate table {}").format(sql.Identifier("incoming", table)))


def mark_staged(connection: Connection) -> int:
    """Close every accepted batch, now that its rows are in staging; return how many there were."""
    return connection.execute(
        "update ops.batches set status = 'staged', staged_at = clock_timestamp() "
        "where status = 'accepted'"
    ).rowcount


def _pending(connection: Connection) -> frozenset[str]:
    return _names(connection, f"select unnest(entities) from ops.batches where status in {PENDING}")


def _quarantined(connection: Connection) -> frozenset[str]:
    return _names(connection, "select entity from quarantine.rows where status = 'open'")


def _missing(connection: Connection) -> frozenset[str]:
    built = _tables(connection, "incoming") & _tables(connection, "staging")
    return frozenset(entity.name for entity in entities()) - built


def _marts_lag(connection: Connection) -> bool:
    live = connection.execute(
        "select p.version, s.model_hash from ops.publications as p "
        "inner join ops.slots as s on s.slot = p.slot where p.is_live"
    ).fetchone()
    return (
        live is None
        or live[0] < _newest_version(connection)
        or live[1] != marts_signature(reporting_currency(connection) or "")
    )


def _newest_version(connection: Connection) -> int:
    tables = [("staging", entity.name) for entity in entities()]
    tables += [("identity", f"{name}_crosswalk") for name in ("customer", "contact", "product")]
    newest = sql.SQL(" union all ").join(
        sql.SQL("select max(version) as version from {}").format(sql.Identifier(*table))
        for table in tables
    )
    row = connection.execute(
        sql.SQL("select coalesce(max(version), 0) from ({}) as newest").format(newest)
    ).fetchone()
    return int(row[0]) if row else 0


def _tables(connection: Connection, schema: str) -> frozenset[str]:
    return _names(
        connection,
        sql.SQL("select tablename from pg_tables where schemaname = {}").format(schema),
    )


def _names(connection: Connection, query: str | sql.Composed) -> frozenset[str]:
    rows = connection.execute(query.encode() if isinstance(query, str) else query)
    return frozenset(row[0] for row in rows)
