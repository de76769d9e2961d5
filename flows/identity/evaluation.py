"""How good the matching is: the current crosswalk against pairs known to be the same."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import combinations_with_replacement
from pathlib import Path

from psycopg import Connection, sql

from flows.core.errors import EvaluationError
from flows.core.warehouse import connect, exists

COLUMNS = ("left_source", "left_key", "right_source", "right_key")
SINGULARS = {"customers": "customer", "contacts": "contact", "products": "product"}

Record = tuple[str, str]
Pair = tuple[Record, Record]


@dataclass(frozen=True)
class Evaluation:
    """Pairwise measures over source records; every true pair counts, found or not."""

    precision: float
    recall: float
    f1: float
    true_pairs: int
    predicted_pairs: int

    @classmethod
    def of(cls, *, true: int, predicted: int, hits: int) -> "Evaluation":
        """Measure from counts; a share of nothing is 0."""
        return cls(
            precision=_share(hits, predicted),
            recall=_share(hits, true),
            f1=_share(2 * hits, true + predicted),
            true_pairs=true,
            predicted_pairs=predicted,
        )

    def as_json(self) -> dict[str, float | int]:
        """Return what `concord evaluate --json` prints."""
        return asdict(self)

    @property
    def text(self) -> str:
        """The measures as a person reads them."""
        return (
            f"precision {self.precision:.4f}, recall {self.recall:.4f}, F1 {self.f1:.4f} "
            f"({self.true_pairs:,} true pairs, {self.predicted_pairs:,} predicted)"
        )


@dataclass(frozen=True)
class Assigned:
    """A source record as the crosswalk has it."""

    source: str
    entity: str
    key: str
    held_id: str

    @property
    def record(self) -> Record:
        """How a truth file names it."""
        return (self.source, self.key)


def evaluate(path: Path, domain: str | None = None) -> Evaluation:
    """Measure the current crosswalk against a file of true pairs.

    Pairs count in the domain their records are found in, or in the one that is given. Predicted
    are all pairs of one id between the systems that the file pairs with each other.
    Raises EvaluationError when the file cannot be used.
    """
    truth = read_truth(path)
    with connect() as connection:
        _require_known_sources(connection, path, truth)
        domains = [domain] if domain else list(SINGULARS)
        crosswalks = {name: _crosswalk(connection, name, truth) for name in domains}
    predicted = hits = 0
    for name, pairs in _by_domain(truth, crosswalks).items():
        found, right = _measured(pairs, crosswalks[name])
        predicted, hits = predicted + found, hits + right
    return Evaluation.of(true=len(truth), predicted=predicted, hits=hits)


def read_truth(path: Path) -> set[Pair]:
    """Read the pairs of a file, each once and in one order, whatever order they are written in."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            pairs = set(_pairs(path, csv.DictReader(file)))
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"{path} is no CSV in UTF-8: {error}.") from error
    if not pairs:
        raise EvaluationError(f"{path} holds no pairs; give one pair of records per line.")
    return pairs


def _pairs(path: Path, reader: "csv.DictReader[str]") -> Iterator[Pair]:
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if reader.fieldnames is None:
        raise EvaluationError(f"{path} is empty; its first line must be {','.join(COLUMNS)}.")
    if missing:
        raise EvaluationError(
            f"{path} lacks the column {', '.join(missing)}; it needs {', '.join(COLUMNS)}."
        )
    for line in reader:
        values = [(line[column] or "").strip() for column in COLUMNS]
        if not any(values):
            continue
        if not all(values):
            raise EvaluationError(f"{path}, line {reader.line_num}: a source or key is empty.")
        left, right = sorted([(values[0], values[1]), (values[2], values[3])])
        if left != right:  # a record with itself is no pair
            yield (left, right)


def _require_known_sources(connection: Connection, path: Path, truth: set[Pair]) -> None:
    known = {name for (name,) in connection.execute("select connection from ops.connections")}
    named = {source for pair in truth for source, _ in pair}
    if not known:  # a warehouse filled by other means than landing
        return
    if unknown := sorted(named - known):
        raise EvaluationError(
            f"{path} names {', '.join(unknown)}, which never landed anything; "
            f"known connections are {', '.join(sorted(known))}."
        )


def _crosswalk(connection: Connection, domain: str, truth: set[Pair]) -> list[Assigned]:
    """Return the current rows of the systems that the truth names; none before the first run."""
    singular = SINGULARS.get(domain)
    if singular is None:
        raise EvaluationError(f"There is no domain {domain}; known are {', '.join(SINGULARS)}.")
    table = sql.Identifier("identity", f"{singular}_crosswalk")
    if not exists(connection, table):
        return []
    query = sql.SQL(
        "select source_system, entity, source_key, {} from {} "
        "where is_current and source_system = any(%s)"
    ).format(sql.Identifier(f"{singular}_id"), table)
    sources = sorted({source for pair in truth for source, _ in pair})
    return [Assigned(*found) for found in connection.execute(query, (sources,))]


def _by_domain(truth: set[Pair], crosswalks: dict[str, list[Assigned]]) -> dict[str, list[Pair]]:
    """Tell each pair its domain: the first that knows both records, else either of them."""
    known = {name: {one.record for one in rows} for name, rows in crosswalks.items()}
    pairs: dict[str, list[Pair]] = {name: [] for name in crosswalks}
    for pair in truth:
        found = {name: sum(record in records for record in pair) for name, records in known.items()}
        best = max(found, key=lambda name: found[name])  # of equals the first
        if found[best]:
            pairs[best].append(pair)
    return pairs


def _measured(pairs: list[Pair], crosswalk: list[Assigned]) -> tuple[int, int]:
    """Return how many pairs the crosswalk predicts, and how many of the true ones it has."""
    named = {record for pair in pairs for record in pair}
    entities = {(one.source, one.entity) for one in crosswalk if one.record in named}
    judged = [one for one in crosswalk if (one.source, one.entity) in entities]
    ids: dict[Record, set[str]] = {}
    for one in judged:
        ids.setdefault(one.record, set()).add(one.held_id)
    hits = sum(bool(ids.get(left, set()) & ids.get(right, set())) for left, right in pairs)
    return _predicted(judged, {(left[0], right[0]) for left, right in pairs}), hits


def _predicted(judged: Iterable[Assigned], systems: set[tuple[str, str]]) -> int:
    """Count the pairs of one id between the systems, without making them."""
    members: dict[str, Counter[str]] = {}
    for one in judged:
        members.setdefault(one.held_id, Counter())[one.source] += 1
    return sum(
        counts[left] * (counts[left] - 1) // 2 if left == right else counts[left] * counts[right]
        for counts in members.values()
        for left, right in combinations_with_replacement(sorted(counts), 2)
        if (left, right) in systems
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
