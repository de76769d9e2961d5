"""Records and the links between them, written as dbt and the matching model would."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import sql

from flows.core.warehouse import connect
from flows.identity import IdentityChanges, assign
from tests.integration.staged import new_run

SCRIPT = """
create table identity.{singular}_records (
    record text primary key, source_system text, entity text, source_key text, kind text,
    is_deleted boolean, version bigint, merged_into text, conflict_keys text[]
);
create table identity.{singular}_key_links (
    left_record text, right_record text, method text, rule text, probability numeric(6, 5)
);
create table identity.{singular}_key_clashes (
    left_record text, right_record text, rule text, reason text
);
"""
POLICY = """
create table if not exists staging.match_policy (
    domain text, left_system text, right_system text, accept_above numeric, review_above numeric,
    cardinality text, largest_block integer, least_cohesion numeric
);
"""
ENTITIES = {"customers": "accounts", "contacts": "contacts", "products": "products"}


class Linked:
    """A domain's records and links, and what becomes of them."""

    def __init__(self, domain: str = "customers") -> None:
        self.domain = domain
        self.singular = domain[:-1]
        with connect() as connection:
            connection.execute(SCRIPT.format(singular=self.singular).encode())
            connection.execute(POLICY.encode())

    def name(self, key: str) -> str:
        """Return the record of a key: `a1` is one of the CRM, `erp:1` one of the system erp."""
        system, _, rest = key.rpartition(":")
        return f"{system or 'crm'}|{ENTITIES[self.domain]}|{rest}"

    def add(
        self, *keys: str, conflict_keys: Sequence[str] = (), merged_into: str | None = None
    ) -> None:
        """Write records, new or changed."""
        self._execute(
            "insert into identity.{records} values (%s, %s, %s, %s, 'crm', false, 1, %s, %s) "
            "on conflict (record) do update set "
            "merged_into = excluded.merged_into, conflict_keys = excluded.conflict_keys",
            [
                (self.name(key), *self.name(key).split("|", 2), merged_into, list(conflict_keys))
                for key in keys
            ],
        )

    def remove(self, *keys: str) -> None:
        """Take records away; what links them may stay behind."""
        statement = "delete from identity.{records} where record = %s"
        self._execute(statement, [(self.name(key),) for key in keys])

    def link(
        self, left: str, right: str, *, method: str = "key", rule: str = "tax_id", sure: float = 1
    ) -> None:
        """Link two records by a key or a rule."""
        self._execute(
            "insert into identity.{links} values (%s, %s, %s, %s, %s)",
            [(self.name(left), self.name(right), method, rule, sure)],
        )

    def unlink(self, left: str, right: str) -> None:
        """Take the key links of a pair away."""
        self._execute(
            "delete from identity.{links} where (left_record, right_record) = (%s, %s)",
            [(self.name(left), self.name(right))],
        )

    def clash(self, left: str, right: str) -> None:
        """Let two records share a key and nothing else."""
        self._execute(
            "insert into identity.{clashes} values (%s, %s, 'tax_id', 'nothing alike')",
            [sorted((self.name(left), self.name(right)))],
        )

    def settle_clash(self, left: str, right: str) -> None:
        """Let two records no longer share a key."""
        self._execute(
            "delete from identity.{clashes} where (left_record, right_record) = (%s, %s)",
            [sorted((self.name(left), self.name(right)))],
        )

    def score(self, left: str, right: str, probability: float) -> None:
        """Let the model find a pair this probable."""
        self._execute(
            "insert into identity.scored_pairs values (%s, %s, %s, 0, %s, '{{}}', '{{}}', 1) "
            "on conflict (domain, left_record, right_record) do update set "
            "probability = excluded.probability",
            [(self.domain, *sorted((self.name(left), self.name(right))), probability)],
        )

    def forget_score(self, left: str, right: str) -> None:
        """Let the model find nothing in a pair."""
        self._execute(
            "delete from identity.scored_pairs "
            "where (domain, left_record, right_record) = (%s, %s, %s)",
            [(self.domain, *sorted((self.name(left), self.name(right))))],
        )

    def rule(self, left: str, right: str, ruling: str) -> None:
        """Let a person rule about a pair; `unsure` takes what was ruled back."""
        self._execute(
            "insert into ops.decisions (domain, left_record, right_record, ruling, decided_by) "
            "values (%s, %s, %s, %s, 'ada')",
            [(self.domain, self.name(left), self.name(right), ruling)],
        )

    def policy(self, left: str, right: str, **terms: Any) -> None:
        """Add a row to the policy."""
        row = {"accept_above": 0.95, "review_above": 0.5, "cardinality": "many_to_many"}
        row |= {"least_cohesion": 0, **terms}
        columns = sql.SQL(", ").join(map(sql.Identifier, row))
        with connect() as connection:
            connection.execute(
                sql.SQL(
                    "insert into staging.match_policy (domain, left_system, right_system, {}) "
                    "values (%s, %s, %s, {})"
                ).format(columns, sql.SQL(", ").join([sql.Placeholder()] * len(row))),
                [self.domain, left, right, *row.values()],
            )

    def assign(self) -> IdentityChanges:
        """Open a run and bring the ids in line."""
        return assign(new_run())[self.domain]

    def ids(self) -> dict[str, str]:
        """Return the id of every record, by key where the CRM has it."""
        rows = self.rows(f"select source_system, source_key, {self.singular}_id from {{crosswalk}}")
        return {key if system == "crm" else f"{system}:{key}": one for system, key, one in rows}

    def crosswalk(self) -> list[tuple[Any, ...]]:
        """Return the current crosswalk, but for times and numbers of rows and runs."""
        return self.rows(
            f"select source_system, entity, source_key, {self.singular}_id, method, rule, "
            "probability from {crosswalk}"
        )

    def groups(self) -> set[frozenset[str]]:
        """Return which records share an id, whichever it is."""
        held = self.ids()
        return {frozenset(k for k in held if held[k] == one) for one in held.values()}

    def blocked(self) -> list[tuple[Any, ...]]:
        """Return the keys of the links that were not made, the reason, and what blocked them."""
        return self.query(
            "select split_part(left_record, '|', 3), split_part(right_record, '|', 3), reason, "
            "blocked_by from identity.blocked_links order by left_record, right_record"
        )

    def events(self) -> list[tuple[Any, ...]]:
        """Return what happened to ids, in order."""
        return self.query(
            "select event, id, other_id, records from identity.events order by event_id"
        )

    def resolve(self, held_id: str) -> str | None:
        """Return the id in use that stands for another."""
        found = self.query("select identity.resolve(%s)", [held_id])[0][0]
        return None if found is None else str(found)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query over the current crosswalk."""
        crosswalk = f"identity.{self.singular}_crosswalk where is_current order by 1, 2, 3"
        return self.query(query.format(crosswalk=crosswalk))

    def query(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query."""
        with connect() as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def _execute(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        text = statement.format(
            records=f"{self.singular}_records",
            links=f"{self.singular}_key_links",
            clashes=f"{self.singular}_key_clashes",
        )
        with connect() as connection, connection.cursor() as cursor:
            cursor.executemany(text.encode(), list(rows))
