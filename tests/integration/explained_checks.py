"""Checks an explanation against the files that were delivered, without asking the warehouse."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from flows.core.canonical import Column, entity
from flows.core.ownership import ownership_rules
from flows.core.settings import settings
from flows.explaining import Cell
from flows.explaining.described import HISTORIES
from flows.explaining.paths import FOLLOWED

CENT_OF_A_CENT = Decimal("0.0001")
TRUE, FALSE = ("true", "t", "yes", "y", "1", "on"), ("false", "f", "no", "n", "0", "off")
Source = Mapping[str, Any]


@dataclass
class Findings:
    """What did not hold, and how much was looked at."""

    faults: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    def expect(self, what: str, *, holds: bool, where: object) -> None:
        """Count a check, and note it when it does not hold."""
        self.checked[what] = self.checked.get(what, 0) + 1
        if not holds:
            self.faults.append(f"{what}: {where}")


def check_cell(cell: Cell, extracts: Path, findings: Findings) -> None:
    """Check a value and everything it is made of, down to the delivered files."""
    for source in cell.sources:
        if source.get("relation") == "staging.unit_conversions":
            value = source.get("source_value")
            held = value is None or value in factors_of_rules()
            findings.expect("the conversion is in the rule file", holds=held, where=source)
        elif source["part"] == "record" and "file" not in source:
            findings.expect("the raw row is there", holds=False, where=source)
        elif source["part"] == "record":
            check_record(source, extracts, findings)
        below = source.get("cell")
        if isinstance(below, Cell):
            same = below.value == source.get("source_value")
            findings.expect("a value of another mart is the one there", holds=same, where=source)
            check_cell(below, extracts, findings)
    check_value(cell, findings)


@cache
def factors_of_rules() -> set[str]:
    """Return the values of the rules by which units are converted, as they are explained."""
    path = settings().dbt_project / "seeds" / "rules" / "unit_conversions.csv"
    with path.open(encoding="utf-8") as file:
        rules = list(csv.DictReader(file))
    return {f"{Decimal(rule['factor']):.12f}" for rule in rules} | {
        rule[column] for rule in rules for column in ("unit", "base_unit", "product_number")
    }


def check_record(source: Source, extracts: Path, findings: Findings) -> None:
    """Check that a staged value is the typed one of the file's line, and the line the one named."""
    delivered = line_of(extracts / source["source_system"] / source["file"], source["line"])
    payload = json.loads(source["payload"], parse_float=Decimal)
    findings.expect("the line is the one in the file", holds=delivered == payload, where=source)
    column = source["source_column"]
    if column in ("*", "source_system", "kind"):
        return
    staged_as = source["relation"].partition(".")[2]
    described = entity(HISTORIES.get(staged_as, staged_as))
    if column not in (*described.column_names, "source_key"):
        return  # added by staging
    if column == "source_key":
        key = "|".join(str(delivered[name]).strip() for name in described.key)
        findings.expect("the key is the line's", holds=key == source["source_key"], where=source)
        return
    given = delivered.get(column)
    findings.expect(
        "the raw value is the line's",
        holds=(source.get("raw_value") or "") == as_text(given),
        where=source,
    )
    staged = source.get("source_value")
    findings.expect(
        "the staged value is the raw one, typed",
        holds=typed(given, described.column(column)) == read(staged, described.column(column)),
        where=source,
    )


def check_value(cell: Cell, findings: Findings) -> None:
    """Check that a value follows from its sources by the rule that is named."""
    if any(source.get("is_used") is None for source in _inputs(cell)):
        return  # the rows may count or not: what can be checked is what they hold
    if not _inputs(cell) and cell.table not in FOLLOWED:
        return  # one of several fixed words, such as how lines were matched
    values = [source.get("source_value") for source in _inputs(cell)]
    known = [value for value in values if value is not None]
    formula = " ".join(cell.formula)
    match cell.kind:
        case "copied" | "chosen":
            held = cell.value is None or any(same(cell.value, value) for value in known)
            held = held or any(same(cell.value, word.strip("(),'")) for word in formula.split())
            held = held or same(cell.value, str(sum(map(number, values_of_lines(cell)))))
            findings.expect(f"{cell.kind} is one of its sources", holds=held, where=cell)
        case "summed":
            total = sum((number(value) for value in known), Decimal(0))
            held = cell.value is None or number(cell.value) == total
            findings.expect("summed is the sum", holds=held, where=cell)
        case "counted":
            held = int(cell.value or 0) == len(values)
            findings.expect("counted is the number", holds=held, where=cell)
        case "converted":
            check_conversion(cell, values, findings)
    if cell.kind == "chosen" and _rules(cell):
        check_winner(cell, findings)


def check_conversion(cell: Cell, values: Sequence[str | None], findings: Findings) -> None:
    """Check amount times rate, rounded to four decimals; null when either is missing."""
    if len(values) != 2 or None in values:
        held = cell.value is None
    else:
        product = number(values[0] or "") * number(values[1] or "")
        rounded = product.quantize(CENT_OF_A_CENT, ROUND_HALF_UP)
        held = cell.value is not None and number(cell.value) == rounded
    findings.expect("converted is amount by rate", holds=held, where=cell)


def check_winner(cell: Cell, findings: Findings) -> None:
    """Check that the side that owns the field spoke, when it had anything to say."""
    rules = {rule.name: rule for rule in ownership_rules()}
    rule = rules[_rules(cell)[0]]
    if rule.mode not in ("owner_wins", "review"):
        return
    said = [
        source["source_value"]
        for source in _inputs(cell)
        if source.get("source_value") is not None and source["source_system"] == rule.owner
    ]
    if said and cell.column != "credit_currency":
        findings.expect("the owner's value holds", holds=cell.value in said, where=cell)
    used = [source for source in _inputs(cell) if source.get("is_used")]
    findings.expect(
        "the winner is marked",
        holds=cell.value is None or any(one.get("source_value") == cell.value for one in used),
        where=cell,
    )


def values_of_lines(cell: Cell) -> list[str]:
    """Return the values of a document's lines: what stands in where its header says nothing."""
    return [
        source["source_value"]
        for source in _inputs(cell)
        if "source_value" in source
        and source.get("relation", "").endswith("_lines")
        and is_number(source["source_value"])
    ]


def _inputs(cell: Cell) -> list[Source]:
    parts = ("record", "mart", "identity", "setting", "column")
    return [source for source in cell.sources if source["part"] in parts]


def _rules(cell: Cell) -> list[str]:
    return [source["source_key"] for source in cell.sources if source["part"] == "rule"]


def line_of(path: Path, line: int) -> dict[str, Any]:
    """Read one line of a delivered file."""
    rows = _lines(path)
    return rows[line]


@cache
def _lines(path: Path) -> dict[int, dict[str, Any]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    return dict(_csv(text) if ".csv" in path.name else _json_lines(text))


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number_of_line, row in enumerate(text.splitlines(), start=1):
        try:
            yield number_of_line, json.loads(row, parse_float=Decimal)
        except ValueError:  # a rejected line
            continue


def _csv(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader)
    begins = reader.line_num + 1
    for row in reader:
        yield begins, {name: value or None for name, value in zip(header, row, strict=False)}
        begins = reader.line_num + 1


def as_text(value: object) -> str:
    """Return a value of JSON as Postgres hands it on as text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def typed(value: object, column: Column) -> object:
    """Type a delivered value as the canonical model says."""
    text = as_text(value).strip()
    if not text:
        return False if column.name == "is_deleted" else None
    if column.reference == "country":
        return spellings().get(text.lower(), text)
    if column.reference == "currency":
        return text.upper()
    if column.data_type == "text":
        return text.lower() if column.accepted else text
    return read(text, column)


def read(text: str | None, column: Column) -> object:
    """Read the text of a value of a column's type."""
    kind, _, size = column.data_type.rstrip(")").partition("(")
    if text is None or kind not in READERS:
        return text
    value = READERS[kind](text)
    if isinstance(value, Decimal):
        places = int(size.partition(",")[2] or 0)
        return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return value


def read_boolean(text: str) -> bool | None:
    """Read yes or no."""
    known = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}
    return known.get(text.lower())


def read_moment(text: str) -> datetime:
    """Read a moment; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


READERS: Mapping[str, Callable[[str], object]] = {
    "numeric": Decimal,
    "integer": int,
    "bigint": int,
    "boolean": read_boolean,
    "date": lambda text: date.fromisoformat(text[:10]),
    "timestamptz": read_moment,
}


@cache
def spellings() -> dict[str, str]:
    """Return the two-letter code of every known spelling of a country."""
    path = settings().dbt_project / "seeds" / "country_spellings.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["spelling"]: row["alpha2"] for row in csv.DictReader(file)}


def number(text: str) -> Decimal:
    """Read a number."""
    return Decimal(text)


def is_number(text: str) -> bool:
    """Tell whether a text is a number."""
    try:
        Decimal(text)
    except ArithmeticError:
        return False
    return True


def same(left: str | None, right: str | None) -> bool:
    """Tell whether two texts are the same value, however many decimals they are written with."""
    if left == right:
        return True
    if left is None or right is None or not (is_number(left) and is_number(right)):
        return False
    return Decimal(left) == Decimal(right)
