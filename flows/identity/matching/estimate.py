"""Estimate a domain's weights from its present records, and what they would change."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import Connection, sql

from flows.core.warehouse import connect
from flows.identity.matching.changes import Scope, note_changes
from flows.identity.matching.domains import Domain, domain_named, weights_of
from flows.identity.matching.duck import DuckEngine
from flows.identity.matching.matching import read_model, scratch
from flows.identity.matching.policy import read_policy
from flows.identity.matching.scoring import Model, linker_on, load, make_pairs, predict
from flows.identity.matching.transfer import export
from flows.identity.matching.weights import PRIOR, Weight, Weights

if TYPE_CHECKING:
    from splink import Linker

SAMPLED_PAIRS = 1_000_000
TRAINING_PAIRS = 500_000
LEAST = 0.0000001  # a level never seen is still possible
EXAMPLES = 20
COLUMNS = (
    "domain", "comparison", "level", "match_probability", "random_probability", "term_frequency",
)  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A pair that the proposed weights decide otherwise."""

    left_record: str
    right_record: str
    probability: float
    proposed_probability: float


@dataclass(frozen=True)
class Proposal:
    """Proposed weights, and what they would change."""

    domain: str
    path: Path
    present: Weights
    proposed: Weights
    accepted: int
    newly_accepted: int
    no_longer_accepted: int
    would_merge: int
    would_split: int
    examples: Sequence[Example]


def propose(domain: str | Domain, folder: Path, *, present: Weights | None = None) -> Proposal:
    """Estimate weights on the present records and write them to a file in the folder.

    Nothing in the warehouse changes; copying the file over the reviewed one adopts it. They are
    compared with the reviewed weights unless others are given.
    """
    chosen = domain_named(domain) if isinstance(domain, str) else domain
    present = present or weights_of(chosen)
    with connect(application="concord estimate") as connection, scratch() as work:
        policy = read_policy(connection, chosen.name)
        model = read_model(connection, chosen, present, policy)
        scope = Scope(connection, chosen, model.features, 0, None, policy.largest_block)
        note_changes(scope)
        engine = DuckEngine(work)
        try:
            load(model, engine, export(scope, work))
            make_pairs(engine)
            proposed = replace(present, levels=_estimate(model, engine))
            changes = _changes(connection, model, proposed, engine)
        finally:
            engine.close()
            connection.rollback()
    path = write_weights(proposed, folder / present.path.name)
    return Proposal(chosen.name, path, present, proposed, **changes)


def write_weights(weights: Weights, path: Path) -> Path:
    """Write weights as the reviewed file has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerow([weights.domain, *PRIOR, weights.prior, 1, ""])
        for (comparison, level), weight in weights.levels.items():
            rows.writerow(
                [
                    weights.domain,
                    comparison,
                    level,
                    f"{weight.match_probability:.6g}",
                    f"{weight.random_probability:.6g}",
                    weight.term_frequency or "",
                ]
            )
    return path


def _estimate(model: Model, engine: DuckEngine) -> Mapping[tuple[str, str], Weight]:
    """Take u from random pairs, m by expectation maximisation among records that share a value."""
    linker = linker_on(model, engine, beside=False)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=7)
    for column in model.features.scalar_weighed():
        _train(linker, column)
    trained = linker.misc.save_model_to_json()
    return {**model.weights.levels, **dict(_trained_levels(model.weights, trained))}


def _train(linker: "Linker", column: str) -> None:
    from splink import block_on  # noqa: PLC0415 - slow to import
    from splink.internals.exceptions import EMTrainingException  # noqa: PLC0415 - as above

    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(column), estimate_without_term_frequencies=True, max_pairs=TRAINING_PAIRS
        )
    except EMTrainingException:
        return  # no two records share a value of this column


def _trained_levels(
    weights: Weights, trained: Mapping[str, Any]
) -> Sequence[tuple[tuple[str, str], Weight]]:
    levels = []
    for comparison in trained["comparisons"]:
        for level in comparison["comparison_levels"]:
            named = comparison["output_column_name"], level.get("label_for_charts", "")
            if level.get("is_null_level") or named not in weights.levels:
                continue
            present = weights.levels[named]
            match = max(level.get("m_probability") or present.match_probability, LEAST)
            random = max(level.get("u_probability") or present.random_probability, LEAST)
            levels.append((named, Weight(match, random, present.term_frequency)))
    return levels


def _changes(
    connection: Connection, model: Model, proposed: Weights, engine: DuckEngine
) -> dict[str, Any]:
    """Score the same pairs with both, and tell which would be decided otherwise."""
    for table, weights in (("present", model.weights), ("proposed", proposed)):
        found = predict(replace(model, weights=weights, threshold=0.01), engine)
        engine.execute(
            f"create table {table} as select group_number_l as l, group_number_r as r, "
            f"match_probability as probability from {found}"
        )
    accept = _accept_above(connection, model.domain)
    engine.execute(
        "create table decided as select coalesce(present.l, proposed.l) as l, "
        "coalesce(present.r, proposed.r) as r, coalesce(present.probability, 0) as before, "
        "coalesce(proposed.probability, 0) as after from present full outer join proposed "
        "on present.l = proposed.l and present.r = proposed.r"
    )
    turned = engine.connection.execute(
        "select l, r, before, after from decided "
        f"where (before >= {accept}) <> (after >= {accept}) "
        "order by abs(after - before) desc, l, r"
    ).fetchall()
    ids = _ids(connection, model.domain)
    records = _records(connection, {group for pair in turned for group in pair[:2]})
    pairs = [Example(records[left], records[right], b, a) for left, right, b, a in turned]
    same = [ids.get(p.left_record) == ids.get(p.right_record) for p in pairs]
    won = [p.proposed_probability >= accept for p in pairs]
    return {
        "accepted": engine.count(f"select count(*) from decided where before >= {accept}"),
        "newly_accepted": sum(won),
        "no_longer_accepted": len(won) - sum(won),
        "would_merge": sum(w and not s for w, s in zip(won, same, strict=True)),
        "would_split": sum(s and not w for w, s in zip(won, same, strict=True)),
        "examples": pairs[:EXAMPLES],
    }


def _accept_above(connection: Connection, domain: Domain) -> float:
    row = connection.execute(
        "select min(accept_above) from staging.match_policy where domain = %s", (domain.name,)
    ).fetchone()
    return float(row[0]) if row else 1.0


def _records(connection: Connection, groups: set[int]) -> dict[int, str]:
    """Return the record that stands for each group."""
    found = connection.execute(
        "select group_number, record from record_groups where group_number = any(%s)",
        (sorted(groups),),
    )
    return dict(found.fetchall())


def _ids(connection: Connection, domain: Domain) -> dict[str, str]:
    """Return the id that each record has now."""
    query = sql.SQL(
        "select concat_ws('|', source_system, entity, source_key), {} from {} where is_current"
    ).format(
        sql.Identifier(f"{domain.singular}_id"),
        sql.Identifier("identity", f"{domain.singular}_crosswalk"),
    )
    return dict(connection.execute(query).fetchall())
