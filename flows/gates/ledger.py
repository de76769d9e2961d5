"""The record of a verdict: one row per expectation, one row per failing key."""

from collections.abc import Iterable

from psycopg import Connection, sql

from flows.gates.verdict import Result, Verdict

FAILURES_OF_RULES = """
    insert into ops.failures (
        run_id, promotion, rule, severity, entity, source_system, source_key,
        document_type, document_key, batch_id, raw_id, money_at_risk
    )
    select
        %(run_id)s, %(promotion)s, failing.rule, judged.severity, failing.entity,
        failing.source_system, failing.source_key, failing.document_type, failing.document_key,
        failing.batch_id, failing.raw_id, failing.money_at_risk
    from gate_failing as failing
    inner join unnest(%(entities)s::text[], %(rules)s::text[], %(severities)s::text[])
        as judged (entity, rule, severity)
        on judged.entity = failing.entity and judged.rule = failing.rule
    where failing.is_judged
"""
FAILURES_OF_A_QUERY = """
    insert into ops.failures (
        run_id, promotion, rule, severity, entity, source_system, source_key,
        document_type, document_key, batch_id, raw_id, money_at_risk
    )
    select
        {run_id}, {promotion}, {rule}, {severity}, {entity},
        found ->> 'source_system',
        coalesce(
            found ->> 'source_key',
            (
                select string_agg(value, '|') from json_each_text(found) as field (name, value)
                where name <> 'source_system' and name = any({keys})
            )
        ),
        found ->> 'document_type', found ->> 'document_key',
        (found ->> 'batch_id')::bigint, (found ->> 'raw_id')::bigint,
        (found ->> 'money_at_risk')::numeric
    from (select row_to_json(listed) as found from ({query}) as listed) as failing
"""


def forget(connection: Connection, promotion: str, run_id: int) -> None:
    """Remove what an earlier judgement of the same run recorded: the last one holds."""
    for table in ("verdicts", "failures"):
        connection.execute(
            sql.SQL("delete from {} where run_id = %s and promotion = %s").format(
                sql.Identifier("ops", table)
            ),
            (run_id, promotion),
        )


def record_verdict(connection: Connection, verdict: Verdict) -> None:
    """Write one row per expectation."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.verdicts (run_id, promotion, suite, expectation, rule, severity, "
            "is_success, checked_count, failed_count, failed_share, money_at_risk, observed, "
            "outcome, reason) values (" + ", ".join(["%s"] * 14) + ")",
            [_row(verdict, result) for result in verdict.results],
        )


def _row(verdict: Verdict, result: Result) -> tuple[object, ...]:
    found = result.finding
    return (
        verdict.run_id,
        verdict.promotion,
        found.suite,
        found.expectation,
        found.rule,
        found.severity,
        found.is_success,
        found.checked,
        found.failed,
        round(result.share, 6),
        found.money,
        found.observed or None,
        result.outcome,
        result.reason or None,
    )


def record_failures(
    connection: Connection, promotion: str, run_id: int, results: Iterable[Result]
) -> None:
    """Write one row per failing key and rule, all of them, without leaving the database."""
    failing = [result for result in results if result.failed]
    _record_row_rules(connection, promotion, run_id, [r for r in failing if r.finding.is_row_rule])
    for result in failing:
        if not result.finding.is_row_rule and result.quick_query:
            _record_query(connection, promotion, run_id, result)


def _record_row_rules(
    connection: Connection, promotion: str, run_id: int, failing: list[Result]
) -> None:
    if failing:
        connection.execute(
            FAILURES_OF_RULES,
            {
                "run_id": run_id,
                "promotion": promotion,
                "entities": [_entity(result) for result in failing],
                "rules": [result.rule for result in failing],
                "severities": [result.severity for result in failing],
            },
        )


def _record_query(connection: Connection, promotion: str, run_id: int, result: Result) -> None:
    statement = sql.SQL(FAILURES_OF_A_QUERY).format(
        run_id=run_id,
        promotion=promotion,
        rule=result.rule,
        severity=result.severity,
        entity=_entity(result),
        keys=list(result.finding.key),
        query=sql.SQL(result.quick_query or ""),
    )
    connection.execute(statement)


def _entity(result: Result) -> str:
    return result.suite.partition("__")[2]
