"""An extract in memory: rows per connection and entity, written as the files a system exports."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

Value = str | int | Decimal | bool | None
Row = dict[str, Value]
Table = tuple[str, str]

JSON_LINES = frozenset(
    ("opportunities", "sales_orders", "sales_order_lines", "orders", "order_lines", "invoices",
     "invoice_lines")
)  # fmt: skip
COMPRESSED = frozenset(("order_events", "fx_rates"))


@dataclass
class Extract:
    """What one export holds, in the order in which it was written."""

    tables: dict[Table, list[Row]] = field(default_factory=dict)

    def add(self, table: Table, created_at: datetime, modified_at: datetime, row: Row) -> Row:
        """Append one row with the columns that every entity carries."""
        full = {
            **row,
            "is_deleted": False,
            "created_at": created_at.isoformat(),
            "modified_at": modified_at.isoformat(),
        }
        self.append(table, full)
        return full

    def append(self, table: Table, row: Row) -> None:
        """Append one row exactly as it is."""
        self.tables.setdefault(table, []).append(row)

    def rows(self, table: Table) -> list[Row]:
        """Return the rows of one table."""
        return self.tables.get(table, [])

    def counts(self) -> dict[str, int]:
        """Return the number of rows by `connection/entity`."""
        return {
            f"{connection}/{entity}": len(rows)
            for (connection, entity), rows in self.tables.items()
        }


def file_name(entity: str) -> str:
    """Return the file in which an entity is exported."""
    if entity in JSON_LINES:
        return f"{entity}.jsonl"
    return f"{entity}.csv.gz" if entity in COMPRESSED else f"{entity}.csv"


def write(extract: Extract, folder: Path) -> None:
    """Write one file per table; files of tables without rows are left as they are."""
    for (connection, entity), rows in extract.tables.items():
        if rows:
            path = folder / connection / file_name(entity)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(entity, rows))


def encoded(entity: str, rows: list[Row]) -> bytes:
    """Return a file's bytes, the same for the same rows."""
    if entity in JSON_LINES:
        return "".join(f"{json_line(row)}\n" for row in rows).encode()
    content = csv_text(rows).encode()
    # Without a fixed time in its header, the same rows would make another file every second.
    return gzip.compress(content, mtime=0) if entity in COMPRESSED else content


def json_line(row: Mapping[str, Value]) -> str:
    """Return a JSON object in which decimals keep the digits they have."""
    return "{" + ", ".join(f'"{name}": {_json(value)}' for name, value in row.items()) + "}"


def _json(value: Value) -> str:
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def csv_text(rows: list[Row]) -> str:
    """Return the rows as CSV, nulls as empty fields and booleans in lower case."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(_csv_fields(row.values()) for row in rows)
    return target.getvalue()


def _csv_fields(values: Iterable[Value]) -> Iterator[str]:
    for value in values:
        if isinstance(value, bool):
            yield str(value).lower()
        else:
            yield "" if value is None else str(value)


def read(folder: Path, connection: str, entity: str) -> list[dict[str, object]]:
    """Read one exported file back, CSV fields as text and empty fields as null."""
    path = folder / connection / file_name(entity)
    if entity in JSON_LINES:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line, parse_float=Decimal) for line in lines]
    content = gzip.decompress(path.read_bytes()) if entity in COMPRESSED else path.read_bytes()
    reader = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return [{name: value or None for name, value in row.items()} for row in reader]


def iso(day: date | None) -> str | None:
    """Return a date as text, nothing as nothing."""
    return day.isoformat() if day else None
