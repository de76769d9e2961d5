"""Judging a promotion: run its checkpoint, apply the policy, record it, act on the rows."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from psycopg import Connection, sql

from flows.core.errors import SettingsError
from flows.core.warehouse import connect, exists
from flows.gates import (
    failing,
    identity_records,
    identity_rules,
    ledger,
    nothing_new,
    quarantine,
    unjudged,
)
from flows.gates.checkpoint import run, settings_of, suites_of
from flows.gates.context import preload
from flows.gates.listing import Table
from flows.gates.verdict import DEFAULT, Finding, Held, Verdict, decide

LOCK = "select pg_advisory_xact_lock(hashtext('concord.gates'))"


def judge(promotion: str, *, run_id: int, slot: str | None = None) -> Verdict:
    """Judge a promotion, record the verdict and act on it; a refusal is a verdict, not an error.

    Judging the same run again replaces what was recorded and changes nothing else.
    """
    clock = Stopwatch()
    if promotion == "raw":
        return _judge_raw(run_id, clock)
    if promotion == "identity":
        return _judge_identity(run_id, clock)
    if promotion == "marts" and slot in ("a", "b"):
        return _judge_marts(run_id, slot, clock)
    raise SettingsError(
        f"There is no gate {promotion!r} on slot {slot!r}; known are raw, identity, marts."
    )


class Stopwatch:
    """Seconds spent, by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the seconds that the block takes to a step."""
        started = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - started
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 3)


def _judge_raw(run_id: int, clock: Stopwatch) -> Verdict:
    with clock.step("sql"), connect() as connection:
        tables = failing.incoming_tables(connection)
        failing.index_failing(connection, tables)
        suites = _raw_suites(connection, tables)
    findings = _validated("raw", suites, run_id, clock)
    with clock.step("sql"), connect() as connection:
        connection.execute(LOCK)
        failing.gather(connection, tables)
        results = tuple(decide(found) for found in _with_money(connection, findings, tables))
        verdict = _recorded(connection, Verdict("raw", run_id, None, results))
        failing.critical_rules(connection, results)
        held = _act(connection, verdict, tables, run_id)
    return replace(verdict, held=held, timings=clock.seconds)


def _raw_suites(connection: Connection, tables: Mapping[str, int]) -> dict[str, Table]:
    known = set(suites_of("raw"))
    suites = {f"raw__{name}": Table(failing.INCOMING, name, rows) for name, rows in tables.items()}
    pending = connection.execute("select count(*) from ops.pending_batches").fetchone()
    if pending and pending[0]:
        suites["raw__batches"] = Table("ops", "pending_batches", pending[0])
    return {suite: table for suite, table in suites.items() if suite in known}


def _validated(
    promotion: str,
    suites: Mapping[str, Table],
    run_id: int,
    clock: Stopwatch,
    **options: Mapping[str, int] | Mapping[str, Table] | tuple[str, ...],
) -> list[Finding]:
    with clock.step("import"):
        preload()
    with clock.step("checkpoint"):
        return list(run(promotion, suites, run_id=run_id, **options))  # type: ignore[arg-type]


def _with_money(
    connection: Connection, findings: list[Finding], tables: Mapping[str, int]
) -> Iterator[Finding]:
    """Yield the findings with money and samples, and one for each rule that no suite describes."""
    money = dict(failing.money_by_rule(connection))
    for found in findings:
        entity = found.suite.partition("__")[2]
        known = money.pop((entity, found.rule), None) if found.is_row_rule else None
        yield _detailed(connection, found, entity, known[1]) if known else found
    for (entity, rule), (count, at_risk) in money.items():
        unknown = _undescribed(entity, rule, count, tables[entity])
        yield _detailed(connection, unknown, entity, at_risk)


def _detailed(connection: Connection, found: Finding, entity: str, money: Decimal) -> Finding:
    samples = failing.sample_keys(connection, entity, found.rule)
    return replace(found, money=money, samples=samples)


def _undescribed(entity: str, rule: str, failed: int, checked: int) -> Finding:
    return Finding(
        suite=f"raw__{entity}",
        rule=rule,
        expectation="unexpected_rows_expectation",
        severity="critical",
        is_success=False,
        failed=failed,
        checked=checked,
        description="A rule of the incoming model that no suite describes.",
        advice="Run `python -m flows.gates.scaffold` and say in the suite what to do about it.",
        query=None,
        is_row_rule=True,
        thresholds=DEFAULT,
    )


def _recorded(connection: Connection, verdict: Verdict) -> Verdict:
    ledger.forget(connection, verdict.promotion, verdict.run_id)
    ledger.record_verdict(connection, verdict)
    ledger.record_failures(connection, verdict.promotion, verdict.run_id, verdict.results)
    return verdict


def _act(connection: Connection, verdict: Verdict, tables: Mapping[str, int], run_id: int) -> Held:
    if verdict.is_refused:
        return quarantine.refuse(connection)
    return quarantine.accept(connection, tables, run_id)


def _judge_identity(run_id: int, clock: Stopwatch) -> Verdict:
    with clock.step("sql"), connect() as connection:
        rows = identity_records.gather(connection)
        rows["refused_blocks"] = identity_records.refused_blocks(connection)
    tables = identity_rules.tables()
    suites = {
        f"identity__{name}": Table("identity", tables[name], count) for name, count in rows.items()
    }
    findings = _validated("identity", suites, run_id, clock)
    with clock.step("sql"), connect() as connection:
        connection.execute(LOCK)
        results = tuple(map(decide, findings))
        verdict = _recorded(connection, Verdict("identity", run_id, None, results))
    return replace(verdict, timings=clock.seconds)


def _judge_marts(run_id: int, slot: str, clock: Stopwatch) -> Verdict:
    schema = f"marts_{slot}"
    with clock.step("sql"), connect() as connection:
        suites = {
            suite: Table(schema, name, _row_count(connection, schema, name))
            for suite in suites_of("marts")
            if (name := suite.partition("__")[2])
        }
        parts = unjudged.parts(connection, slot, [table.name for table in suites.values()])
        read = {suite: parts.get(table.name, table) for suite, table in suites.items()}
        least = _least_rows(connection, suites, read)
        known = nothing_new.suites_without_rows(_present(connection, suites), read, least)
    asked = {suite: table for suite, table in suites.items() if suite not in known}
    findings = _validated(
        "marts", asked, run_id, clock, parameters=least, search_path=(schema,), read=read
    )
    findings += nothing_new.findings(known)
    with clock.step("sql"), connect() as connection:
        connection.execute(LOCK)
        connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(schema)))
        results = tuple(map(decide, sorted(findings, key=lambda found: found.suite)))
        verdict = _recorded(connection, Verdict("marts", run_id, slot, results))
        unjudged.clear(connection, parts)
        if not any(result.finding.error for result in results):
            unjudged.remember(connection, slot, run_id, [t.name for t in suites.values()])
    return replace(verdict, timings=clock.seconds)


def _present(connection: Connection, suites: Mapping[str, Table]) -> dict[str, Table]:
    return {
        suite: table
        for suite, table in suites.items()
        if exists(connection, sql.Identifier(table.schema, table.name))
    }


def _row_count(connection: Connection, schema: str, table: str) -> int:
    name = sql.Identifier(schema, table)
    if not exists(connection, name):
        return 0
    row = connection.execute(sql.SQL("select count(*) from {}").format(name)).fetchone()
    return int(row[0]) if row else 0


def _least_rows(
    connection: Connection, suites: Mapping[str, Table], read: Mapping[str, Table]
) -> dict[str, int]:
    """Return how many rows must be read of each mart at least, from what is published now."""
    published: dict[str, int] = dict(
        connection.execute(
            "select table_name, row_count from ops.publication_tables "
            "inner join ops.publications using (publication_id) where is_live"
        ).fetchall()
    )
    return {
        f"{table.name}_least_rows": _least(suite, int(published.get(table.name, 0)))
        - (table.rows - read[suite].rows)
        for suite, table in suites.items()
    }


def _least(suite: str, published: int) -> int:
    may_shrink_by = float(settings_of(suite, "may_shrink_by") or 0)
    floor = DEFAULT.floor
    return max(0, min(int(published * (1 - may_shrink_by)), published - floor))
