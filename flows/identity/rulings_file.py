"""Rulings as a file: for hundreds at once, and to hand them on."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection, sql

from flows.core.errors import RulingsError
from flows.core.warehouse import connect
from flows.identity.domains import DOMAINS
from flows.identity.rulings import (
    Pair,
    Ruling,
    domain_named,
    has_records,
    kept_apart,
    record_rulings,
    records_table,
    require_allowed,
    ruling_named,
)

NEEDED = ("left_source", "left_key", "right_source", "right_key", "ruling")
COLUMNS = ("domain", *NEEDED, "reason", "decided_by")
ENTITIES = {
    "customers": ("accounts", "customers"),
    "contacts": ("contacts",),
    "products": ("products",),
}
EXPORT = """
    select domain, left_record, right_record, ruling, reason, decided_by from ops.decisions
    where status in ('active', 'reopened') order by decision_id
"""
COMPLAINTS_SHOWN = 20


@dataclass(frozen=True)
class Line:
    """One line of a file, not yet looked up."""

    number: int
    values: Mapping[str, str]

    def records(self, side: str, domain: str) -> tuple[str, ...]:
        """Return what a side may mean in a domain; a key may name its entity before a bar."""
        source, key = self.values[f"{side}_source"], self.values[f"{side}_key"]
        plain = tuple(f"{source}|{entity}|{key}" for entity in ENTITIES[domain])
        return (*plain, f"{source}|{key}")


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    written: int
    unchanged: int
    undecided: int

    @property
    def text(self) -> str:
        """The counts as a sentence."""
        return (
            f"{self.written:,} rulings written, {self.unchanged:,} stood already, "
            f"{self.undecided:,} lines without a ruling. The next run applies them."
        )


def import_rulings(path: Path, *, decided_by: str | None = None) -> Imported:
    """Take over every ruling of a file, or none of them; importing it again changes nothing.

    Lines without a ruling are left out. `decided_by` stands for lines that do not say who decided.
    Raises RulingsError naming every line that cannot be taken over.
    """
    lines = list(_read(path))
    decided = [line for line in lines if line.values["ruling"]]
    with connect(application="concord rulings") as connection:
        rulings = _understood(connection, path, decided, decided_by)
        written = record_rulings(connection, rulings, through="file")
    return Imported(written, len(rulings) - written, len(lines) - len(decided))


def export_rulings(path: Path) -> int:
    """Write every standing ruling into a file that can be imported again; return how many."""
    with connect() as connection:
        rows = connection.execute(EXPORT).fetchall()
    write_lines(path, COLUMNS, (_exported(row) for row in rows))
    return len(rows)


def write_lines(path: Path, columns: Sequence[str], lines: Iterator[Mapping[str, object]]) -> None:
    """Write a CSV file with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def named(record: str, side: str) -> dict[str, str]:
    """Return how a file names a record; its entity is said where a key alone could mean two."""
    source, entity, key = record.split("|", 2)
    several = any(entity in names and len(names) > 1 for names in ENTITIES.values())
    return {f"{side}_source": source, f"{side}_key": f"{entity}|{key}" if several else key}


def _exported(row: Sequence[str]) -> dict[str, str]:
    domain, left, right, ruling, reason, decided_by = row
    values = {"domain": domain, "ruling": ruling, "reason": reason, "decided_by": decided_by}
    return values | named(left, "left") | named(right, "right")


def _read(path: Path) -> Iterator[Line]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _require_columns(path, reader.fieldnames)
            for row in reader:
                values = {name: (row.get(name) or "").strip() for name in COLUMNS}
                if any(values.values()):
                    yield Line(reader.line_num, values)
    except OSError as error:
        raise RulingsError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RulingsError(f"{path} is no CSV in UTF-8: {error}.") from error


def _require_columns(path: Path, present: Sequence[str] | None) -> None:
    if missing := [name for name in NEEDED if name not in (present or ())]:
        raise RulingsError(
            f"{path} lacks the column {', '.join(missing)}; it needs {', '.join(NEEDED)} and may "
            "have domain, reason, decided_by."
        )


def _understood(
    connection: Connection, path: Path, lines: list[Line], decided_by: str | None
) -> list[Ruling]:
    """Look every line up, and complain of all that are wrong at once."""
    known, kept = _known_records(connection, lines), kept_apart(connection)
    rulings: dict[Pair, Ruling] = {}
    complaints = []
    for line in lines:
        try:
            ruling = _ruling(line, known, decided_by).in_order()
            require_allowed(ruling, kept)
            _require_agreement(ruling, rulings.setdefault(ruling.pair, ruling))
        except RulingsError as error:
            complaints.append(f"line {line.number}: {error}")
    if complaints:
        more = len(complaints) - COMPLAINTS_SHOWN
        rest = [f"and {more} more."] if more > 0 else []
        told = "\n".join([*complaints[:COMPLAINTS_SHOWN], *rest])
        raise RulingsError(f"Nothing of {path} was taken over:\n{told}")
    return list(rulings.values())


def _require_agreement(ruling: Ruling, earlier: Ruling) -> None:
    if ruling.ruling != earlier.ruling:
        raise RulingsError(f"an earlier line says {earlier.ruling} of the same pair.")


def _known_records(connection: Connection, lines: list[Line]) -> dict[str, set[str]]:
    """Return which of the records that the lines may mean there are, by domain."""
    known: dict[str, set[str]] = {}
    for domain in DOMAINS:
        wanted = [
            record
            for line in lines
            for side in ("left", "right")
            for record in line.records(side, domain.name)
        ]
        known[domain.name] = set()
        if has_records(connection, domain):
            query = sql.SQL("select record from {} where record = any(%s)")
            found = connection.execute(query.format(records_table(domain)), (wanted,))
            known[domain.name] = {record for (record,) in found}
    return known


def _ruling(line: Line, known: Mapping[str, set[str]], decided_by: str | None) -> Ruling:
    values = line.values
    word = ruling_named(values["ruling"])
    by = values["decided_by"] or decided_by
    if not by:
        raise RulingsError("it does not say who decided; fill in decided_by.")
    domain, left, right = _pair(line, known)
    return Ruling(domain, left, right, word, by, values["reason"])


def _pair(line: Line, known: Mapping[str, set[str]]) -> tuple[str, str, str]:
    """Return the domain and the records that a line means."""
    asked = line.values["domain"]
    domains = [domain_named(asked).name] if asked else list(known)
    for domain in domains:
        sides = [
            [record for record in line.records(side, domain) if record in known[domain]]
            for side in ("left", "right")
        ]
        if all(sides):
            left, right = (_only(found) for found in sides)
            if left == right:
                raise RulingsError("both sides name the same record.")
            return domain, left, right
    raise RulingsError(f"{_missing(line, domains, known)} is not known.")


def _only(found: list[str]) -> str:
    if len(found) > 1:
        one, other = (record.split("|", 1)[1] for record in found[:2])
        raise RulingsError(f"the key may mean two records; write {one} or {other}.")
    return found[0]


def _missing(line: Line, domains: list[str], known: Mapping[str, set[str]]) -> str:
    for side in ("left", "right"):
        found = [name for name in domains if set(line.records(side, name)) & known[name]]
        if not found:
            return f"{line.values[f'{side}_source']} {line.values[f'{side}_key']}".strip()
    return "a pair of one domain: each record is known in another one; such a pair"
