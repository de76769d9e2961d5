"""Score the pairs of one domain: only what changed, with the result of scoring everything."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg import Connection, sql

from flows.core.settings import settings
from flows.core.warehouse import connect
from flows.identity.matching.changes import Scope, note_changes
from flows.identity.matching.domains import Domain, domain_named, read_features, weights_of
from flows.identity.matching.engines import Engine, open_engine
from flows.identity.matching.ledger import MatchChanges, Work, last_version, parameters_of, remember
from flows.identity.matching.limits import refuse_too_many_pairs
from flows.identity.matching.policy import Policy, read_policy
from flows.identity.matching.scoring import Model, Scores, load, score
from flows.identity.matching.transfer import bring_back, export
from flows.identity.matching.weights import Weights

LOCK = "select pg_advisory_xact_lock(hashtext('concord.matching'))"
# Blocks and values of all records are grouped at once. What is put together on the way is looked
# at once or twice: a small sample of it is enough.
PLANNING = "set local work_mem = '128MB'; set local default_statistics_target = 10"


def match(
    domain: str | Domain, run_id: int, *, weights: Weights | None = None, full: bool = False
) -> MatchChanges:
    """Bring identity.scored_pairs of a domain up to date, in one transaction.

    The weights are the reviewed ones unless others are given; other weights, and `full`, score
    everything anew. Raises MatchingError when the blocks would make too many pairs, or when rules,
    weights and records do not fit.
    """
    started = time.monotonic()
    matched = domain_named(domain) if isinstance(domain, str) else domain
    with connect(application="concord matching") as connection:
        connection.execute(LOCK)
        connection.execute(PLANNING)
        policy = read_policy(connection, matched.name)
        model = read_model(connection, matched, weights or weights_of(matched), policy)
        parameters = parameters_of(model, policy)
        since = None if full else last_version(connection, model, parameters)
        scope = Scope(connection, matched, model.features, run_id, since, policy.largest_block)
        affected = note_changes(scope)
        with scratch() as folder:
            scores = _score(scope, model, folder) if affected else Scores([], 0)
            bring_back(scope, scores.files)
        return remember(scope, model, parameters, Work(affected, scores.compared, started))


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
    engine: Engine = open_engine(folder)
    try:
        load(model, engine, exported)
        refuse_too_many_pairs(scope, engine)
        return score(model, engine, folder)
    finally:
        engine.close()


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder for what passes between the warehouse and the engine."""
    parent = settings().home / "scratch"
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=parent, prefix="matching-") as folder:
        yield Path(folder)
