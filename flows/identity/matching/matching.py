"""Score the pairs of one domain: only what changed, with the result of scoring everything."""

import hashlib
import inspect
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg import Connection, sql

from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.identity.matching.changes import Scope, note_changes
from flows.identity.matching.domains import Domain, domain_named, read_features, weights_of
from flows.identity.matching.duck import DuckEngine
from flows.identity.matching.policy import Policy, read_policy
from flows.identity.matching.scoring import Engine, Model, Scores, score
from flows.identity.matching.transfer import bring_back, export
from flows.identity.matching.weights import Weights

LOCK = "select pg_advisory_xact_lock(hashtext('concord.matching'))"
MOST_PAIRS = 50_000_000


@dataclass(frozen=True)
class MatchChanges:
    """What one run of the model did to one domain, in numbers."""

    domain: str
    is_full: bool
    records: int
    affected_records: int
    compared_pairs: int
    scored_pairs: int
    refused_blocks: int
    seconds: float


def match(domain: str | Domain, run_id: int, weights: Weights | None = None) -> MatchChanges:
    """Bring identity.scored_pairs of a domain up to date, in one transaction.

    The weights are the reviewed ones unless others are given; other weights score all anew.
    Raises MatchingError when the blocks would make too many pairs, or the rules do not fit.
    """
    started = time.monotonic()
    with connect(application="concord matching") as connection:
        connection.execute(LOCK)
        matched = domain_named(domain) if isinstance(domain, str) else domain
        policy = read_policy(connection, matched.name)
        model = read_model(connection, matched, weights or weights_of(matched), policy)
        parameters = _parameters(model, policy)
        since = _last_version(connection, model, parameters)
        scope = Scope(connection, matched, model.features, run_id, since, policy.largest_block)
        affected = note_changes(scope)
        with _scratch() as folder:
            scores = _score(scope, model, folder) if affected else Scores([], 0)
            bring_back(scope, scores.files)
        return _remember(scope, model, parameters, scores.compared, time.monotonic() - started)


def read_model(connection: Connection, domain: Domain, weights: Weights, policy: Policy) -> Model:
    """Put together what decides scores, with the number of records there are now."""
    features = read_features(connection, domain, weights)
    query = sql.SQL(
        "select identity.frequency_bucket(greatest(count(*), %s)) from {} where not is_deleted"
    ).format(domain.records)
    row = connection.execute(query, (round(1 / weights.prior),)).fetchone()
    population = int(row[0]) if row else 1
    return Model(domain, weights, features, population, policy.lowest_review)


def _score(scope: Scope, model: Model, folder: Path) -> Scores:
    exported = export(scope, folder)
    engine: Engine = DuckEngine(folder)
    try:
        return score(model, engine, exported, MOST_PAIRS)
    finally:
        engine.close()


def _parameters(model: Model, policy: Policy) -> str:
    """Hash all that decides scores besides the records; any change scores everything anew."""
    module = inspect.getmodule(model.domain.comparisons)
    source = inspect.getsource(module) if module else ""
    features = model.features
    compared = (features.columns, features.weighed, sorted(features.lists))
    said = (source, model.weights.signature, repr(policy), compared, version("splink"))
    return hashlib.md5(repr(said).encode(), usedforsecurity=False).hexdigest()


def _last_version(connection: Connection, model: Model, parameters: str) -> int | None:
    """Return the run up to which scores hold, or None when everything must be scored."""
    row = connection.execute(
        "select version, parameters = %s::uuid and population = %s from identity.scored_runs "
        "where domain = %s order by version desc limit 1",
        (parameters, model.population, model.domain.name),
    ).fetchone()
    return int(row[0]) if row and row[1] else None


def _remember(
    scope: Scope, model: Model, parameters: str, compared: int, seconds: float
) -> MatchChanges:
    row = scope.connection.execute(
        "insert into identity.scored_runs (domain, version, parameters, population, is_full, "
        "records, affected_records, compared_pairs, scored_pairs, refused_blocks, seconds) "
        "select %(domain)s, %(version)s, %(parameters)s::uuid, %(population)s, %(is_full)s, "
        "(select count(*) from identity.scored_records where domain = %(domain)s), "
        "(select count(*) from affected_records), %(compared)s, "
        "(select count(*) from identity.scored_pairs where domain = %(domain)s), "
        "(select count(*) from identity.refused_blocks where domain = %(domain)s), %(seconds)s "
        "on conflict (domain, version) do update set (parameters, population, is_full, records, "
        "affected_records, compared_pairs, scored_pairs, refused_blocks, seconds, scored_at) = "
        "(excluded.parameters, excluded.population, excluded.is_full, excluded.records, "
        "excluded.affected_records, excluded.compared_pairs, excluded.scored_pairs, "
        "excluded.refused_blocks, excluded.seconds, excluded.scored_at) "
        "returning domain, is_full, records, affected_records, compared_pairs, scored_pairs, "
        "refused_blocks, seconds",
        {
            "domain": scope.domain.name,
            "version": scope.version,
            "parameters": parameters,
            "population": model.population,
            "is_full": scope.is_full,
            "compared": compared,
            "seconds": seconds,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert that returns its row
    return MatchChanges(*row)


@contextmanager
def _scratch() -> Iterator[Path]:
    """Yield a folder for what passes between the warehouse and the engine."""
    parent = settings().home / "scratch"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=parent, prefix="matching-") as folder:
        yield Path(folder)
