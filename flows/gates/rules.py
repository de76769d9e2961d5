"""The rules that an incoming table can emit, as the suites should describe them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from flows.core.canonical import Column, Entity
from flows.core.settings import settings
from flows.core.yaml_files import read_yaml
from flows.gates.verdict import DEFAULT_FLOOR, DEFAULT_SHARE, Severity

ROW_KEYS = "source_system, source_key, document_type, document_key, batch_id, raw_id, money_at_risk"
DOCUMENT_KEYS = "source_system, document_type, document_key, money_at_risk"
# What dbt_project/macros/rules.sql calls the largest values.
LARGEST = {"numeric(20,4)": "10^13", "numeric(20,6)": "10^11"}
EXPORT_AGAIN = (
    "Correct it in the source, or its mapping or export, and land the file again; "
    "rows in quarantine are judged again by themselves at every run."
)


@dataclass(frozen=True)
class Rule:
    """One rule as a person reads it."""

    name: str
    severity: Severity
    description: str
    advice: str
    share: float | None = DEFAULT_SHARE


def row_rules(entity: Entity) -> Iterator[Rule]:
    """Yield every rule that rows of an entity can break, in the order of its columns."""
    for column in entity.columns:
        yield from _presence(column)
        if column.data_type != "text":
            yield _readable(column)
        yield from _dates(column)
        yield from _amounts(column)
        yield from _values(column)
        yield from _range(entity, column)
    yield from _repeated_keys(entity)


def document_rules() -> tuple[Rule, ...]:
    """Return the rules that whole documents can break."""
    return (
        Rule(
            "header_is_present",
            "critical",
            "Lines belong to a document whose header has been landed.",
            "Land the headers that the lines belong to; the two files may come from different "
            "moments. The lines wait in quarantine and go on once the header is there.",
        ),
        Rule(
            "has_lines",
            "critical",
            "A document has at least one line.",
            "Land the lines of the document; it waits in quarantine until they are there.",
            share=0.5,
        ),
        Rule(
            "lines_sum_to_header",
            "critical",
            "The lines of a document add up to its header, within the tolerance of "
            "seeds/rules/tolerances.csv.",
            "Compare the difference with rounding, freight and header discounts in the source. "
            "If the difference is right, widen the tolerance; if not, correct the document and "
            "land it again.",
        ),
        Rule(
            "key_is_of_one_line",
            "critical",
            "No line of a document has the key of a line of another.",
            "One key stands for lines of two documents, so one of them would be lost; often the "
            "number of a line counts within its document. Make the document's number part of the "
            "key in the mapping.",
        ),
    )


def row_query(rule: str) -> str:
    """Return the query that lists the rows that break a rule."""
    return (
        f"select {ROW_KEYS} from {{batch}} "
        f"where failed_rules is not null and '{rule}' = any(failed_rules) "
        "and is_newest and not is_retry and batch_id not in "
        "(select batch_id from ops.pending_batches where is_replaced)"
    )


def document_query(rule: str) -> str:
    """Return the query that lists the documents that break a rule."""
    return (
        f"select {DOCUMENT_KEYS} from {{batch}} "
        f"where failed_rules is not null and '{rule}' = any(failed_rules) and not is_retry"
    )


def rule_expectation(rule: Rule, query: str) -> dict[str, object]:
    """Return a rule as an expectation of a suite."""
    meta: dict[str, object] = {
        "rule": rule.name,
        "description": rule.description,
        "advice": rule.advice,
    }
    if rule.severity == "critical":
        meta["block_above"] = {"count": None, "share": rule.share, "money": None}
        meta["floor"] = DEFAULT_FLOOR
    return {
        "type": "unexpected_rows_expectation",
        "severity": rule.severity,
        "kwargs": {"unexpected_rows_query": query},
        "meta": meta,
    }


def _repeated_keys(entity: Entity) -> Iterator[Rule]:
    key = ", ".join(f"`{name}`" for name in entity.key)
    if not entity.is_part_of_document:
        yield Rule(
            "rows_of_one_key_agree",
            "warning",
            f"Rows of one delivery with the same {key} say the same.",
            "The row that stands last was taken. Let the source say which row is newer "
            "(`modified_at`), or make the key in the mapping tell the records apart.",
        )
        return
    yield Rule(
        "key_is_of_one_line",
        "critical",
        f"Rows of one delivery with the same {key} are the same line.",
        "Two different lines have one key, so one of them would be lost. Make the key in the "
        "mapping tell them apart, by a line number or by more of their columns. If they are "
        "versions of one line, let the source say which is newer (`modified_at`).",
    )
    yield Rule(
        "line_is_given_once",
        "warning",
        f"A delivery has each line ({key}) once.",
        "The very same row came again and was taken once. If both are lines of the document, let "
        'the mapping tell them apart by "#copy", which numbers rows that are the same.',
    )


def _presence(column: Column) -> Iterator[Rule]:
    if column.is_key or column.is_required:
        part = "part of the key" if column.is_key else "required"
        yield Rule(
            f"{column.name}_is_present",
            "critical",
            f"`{column.name}` has a value; it is {part}.",
            f"Look why the source leaves `{column.name}` empty; often a column of the export or "
            f"the mapping has been renamed. {EXPORT_AGAIN}",
        )


def _readable(column: Column) -> Rule:
    return Rule(
        f"{column.name}_is_readable",
        "critical",
        f"What stands in `{column.name}` can be read as {column.data_type}.",
        f"Look at the form of `{column.name}` in the listed rows: decimal comma, thousands marks, "
        f"a unit or another date order. {EXPORT_AGAIN}",
    )


def _dates(column: Column) -> Iterator[Rule]:
    if column.data_type in ("date", "timestamptz"):
        yield Rule(
            f"{column.name}_is_plausible",
            "warning",
            f"`{column.name}` lies between 1901 and 2200.",
            "Often a placeholder such as 9999-12-31 or a mistyped year; correct it in the source "
            "where it matters. The rows were taken as they are.",
        )


def _amounts(column: Column) -> Iterator[Rule]:
    if largest := LARGEST.get(column.data_type):
        yield Rule(
            f"{column.name}_is_plausible",
            "critical",
            f"`{column.name}` is below {largest} in size.",
            "No document is that large; often two numbers were joined, or a telephone number "
            "stands in the column. The sums made of it would not fit anywhere. " + EXPORT_AGAIN,
        )


def _values(column: Column) -> Iterator[Rule]:
    if column.reference == "currency":
        yield Rule(
            f"{column.name}_is_known",
            "critical",
            f"`{column.name}` is a currency code of ISO 4217.",
            "Without a known currency no amount of the row can be converted. " + EXPORT_AGAIN,
        )
    elif column.reference == "country":
        yield Rule(
            f"{column.name}_is_known",
            "warning",
            f"`{column.name}` is a country that we can recognise.",
            "Add the spelling to seeds/country_spellings.csv, or correct it in the source. The "
            "rows were taken with the text as it is.",
        )
    elif column.accepted:
        yield Rule(
            f"{column.name}_is_known",
            "warning",
            f"`{column.name}` is one of {', '.join(column.accepted)}.",
            "Map the source's word to one of these in its mapping file. The rows were taken "
            "with the word as it is.",
        )


def _range(entity: Entity, column: Column) -> Iterator[Rule]:
    limits = _limits(entity.name).get(column.name, {})
    if "maximum" in limits:
        yield Rule(
            f"{column.name}_is_in_range",
            "warning",
            f"`{column.name}` lies between {limits['minimum']} and {limits['maximum']}.",
            "Check whether the source writes a share where percent is meant, or the other way "
            "round. The rows were taken as they are.",
        )
    elif "minimum" in limits:
        yield Rule(
            f"{column.name}_is_in_range",
            "warning",
            f"`{column.name}` is not below {limits['minimum']}.",
            "Often a sign that belongs to the quantity, or a discount entered as a line. The rows "
            "were taken as they are.",
        )
    elif "above" in limits:
        yield Rule(
            f"{column.name}_is_in_range",
            "critical",
            f"`{column.name}` is above {limits['above']}.",
            "Such a value would distort every amount computed with it. " + EXPORT_AGAIN,
        )


@cache
def _limits(entity: str) -> dict[str, dict[str, float]]:
    path = settings().dbt_project / "models" / "incoming" / f"incoming_{entity}.yml"
    columns = read_yaml(path)["models"][0]["columns"]
    return {column["name"]: column.get("config", {}).get("meta", {}) for column in columns}
