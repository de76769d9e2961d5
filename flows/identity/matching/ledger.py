"""What each run of the model was based on, and what came of it."""

import hashlib
import inspect
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files

from psycopg import Connection

from flows.identity.matching import comparisons
from flows.identity.matching.changes import Scope
from flows.identity.matching.domains import Domain
from flows.identity.matching.policy import Policy
from flows.identity.matching.scoring import Model


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


@dataclass(frozen=True)
class Work:
    """What one run had to do, since when by the monotonic clock."""

    affected: int
    compared: int
    started: float


def parameters_of(model: Model, policy: Policy) -> str:
    """Hash all that decides scores besides the records; any change scores everything anew."""
    features = model.features
    compared = (features.columns, features.weighed, sorted(features.lists))
    weights = model.weights.signature
    said = (_source(model.domain), weights, repr(policy), compared, version("splink"))
    return hashlib.md5(repr(said).encode(), usedforsecurity=False).hexdigest()


def last_version(connection: Connection, model: Model, parameters: str) -> int | None:
    """Return the run up to which scores hold, or None when everything must be scored."""
    row = connection.execute(
        "select version, parameters = %s::uuid and population = %s from identity.scored_runs "
        "where domain = %s order by version desc limit 1",
        (parameters, model.population, model.domain.name),
    ).fetchone()
    return int(row[0]) if row and row[1] else None


def _source(domain: Domain) -> str:
    """Return the code that compares, with everything beside it."""
    module = inspect.getmodule(domain.comparisons)
    beside = sorted(entry.name for entry in files(comparisons).iterdir())
    texts = [(files(comparisons) / name).read_text("utf-8") for name in beside if _is_code(name)]
    return "".join([inspect.getsource(module) if module else "", *texts])


def _is_code(name: str) -> bool:
    return name.endswith(".py")


def remember(scope: Scope, model: Model, parameters: str, work: Work) -> MatchChanges:
    """Write the run's row and return what it says."""
    row = scope.connection.execute(
        "insert into identity.scored_runs (domain, version, parameters, population, is_full, "
        "records, affected_records, compared_pairs, scored_pairs, refused_blocks, seconds) "
        "select %(domain)s, %(version)s, %(parameters)s::uuid, %(population)s, %(is_full)s, "
        "(select count(*) from identity.scored_records where domain = %(domain)s), "
        "%(affected)s, %(compared)s, "
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
            "affected": work.affected,
            "compared": work.compared,
            "seconds": round(time.monotonic() - work.started, 3),
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert that returns its row
    return MatchChanges(*row)
