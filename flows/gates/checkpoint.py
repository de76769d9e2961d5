"""Running a checkpoint's validations and reading what they found."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from flows.core.errors import SettingsError
from flows.core.settings import settings
from flows.gates.context import opened
from flows.gates.findings import described
from flows.gates.listing import Table, listing_query
from flows.gates.unjudged import ROW_COUNT, Expectation
from flows.gates.verdict import Finding

RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


def suites_of(promotion: str) -> tuple[str, ...]:
    """Return the suites of a promotion's checkpoint; raises SettingsError when there is none."""
    path = settings().expectations / "checkpoints" / f"{promotion}.json"
    if not path.exists():
        raise SettingsError(f"There is no checkpoint {path.name} in {path.parent}.")
    members = json.loads(path.read_text("utf-8"))["validation_definitions"]
    return tuple(member["name"] for member in members)


def settings_of(suite: str, setting: str) -> Any | None:  # noqa: ANN401 - whatever people wrote
    """Return the first value that a suite's expectations give a setting; None without one."""
    path = settings().expectations / "suites" / f"{suite}.json"
    expectations = json.loads(path.read_text("utf-8"))["expectations"]
    return next((n["meta"][setting] for n in expectations if setting in n["meta"]), None)


def run(  # noqa: PLR0913 - all but two by name
    promotion: str,
    suites: Mapping[str, Table],
    *,
    run_id: int,
    parameters: Mapping[str, int] | None = None,
    search_path: Collection[str] = (),
    read: Mapping[str, Table] | None = None,
) -> Iterator[Finding]:
    """Validate these suites of a promotion's checkpoint and yield what each expectation found.

    `read`: what to read in place of a suite's table, where its other rows are known to be sound.
    """
    with opened(tuple(search_path)) as context:
        from great_expectations.core.run_identifier import RunIdentifier  # noqa: PLC0415 - slow

        checkpoint = context.checkpoints.get(promotion)
        name = RunIdentifier(run_name=f"run {run_id}", run_time=datetime.now(tz=UTC))
        for definition in checkpoint.validation_definitions:
            if definition.name not in suites:
                continue
            table = suites[definition.name]
            part = (read or {}).get(definition.name, table)
            if part is not table:
                definition.asset.schema_name = part.schema
            validated = definition.run(
                checkpoint_id=checkpoint.id,
                result_format=RESULT_FORMAT,
                expectation_parameters=dict(parameters or {}),
                run_id=name,
            )
            for result in validated.results:
                yield _finding(definition.name, table, part, result)


def _finding(suite: str, table: Table, part: Table, result: Any) -> Finding:  # noqa: ANN401 - theirs
    config, found = result.expectation_config, result.result or {}
    return described(
        suite,
        table,
        _as_written(config),
        is_success=bool(result.success),
        failed=_failed(config.type, found, is_success=bool(result.success)),
        checked=int(found.get("element_count") or part.rows) + table.rows - part.rows,
        observed=_observed(config.type, found, table.rows - part.rows),
        error=_error(result.exception_info),
        quick_query=listing_query(config.type, config.kwargs, part),
        is_row_rule="any(failed_rules)" in str(config.kwargs.get("unexpected_rows_query", "")),
    )


def _as_written(config: Any) -> Expectation:  # noqa: ANN401 - theirs
    severity = str(getattr(config.severity, "value", config.severity))
    return {
        "type": config.type,
        "kwargs": config.kwargs,
        "meta": config.meta or {},
        "severity": severity,
    }


def _failed(kind: str, found: Mapping[str, Any], *, is_success: bool) -> int:
    if kind == "unexpected_rows_expectation":
        return int(found.get("observed_value") or 0)
    if is_success:
        return 0
    return int(found.get("unexpected_count") or 0)


def _observed(kind: str, found: Mapping[str, Any], not_read: int) -> str:
    value = found.get("observed_value", "")
    return str(value + not_read if kind == ROW_COUNT and isinstance(value, int) else value)


def _error(exception_info: Mapping[str, Any] | None) -> str | None:
    """Return the first line of what went wrong; the structure differs between expectations."""
    if not exception_info:
        return None
    entries = [exception_info, *(v for v in exception_info.values() if isinstance(v, Mapping))]
    for entry in entries:
        if entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "unknown error").splitlines()
            return lines[0]
    return None
