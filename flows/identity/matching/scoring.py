"""Score the pairs of groups that share a block, with Splink on the engine given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING

from flows.identity.matching.bounds import most
from flows.identity.matching.domains import LONGEST_TERM, Domain, Features
from flows.identity.matching.engines import Engine
from flows.identity.matching.weights import Weights

if TYPE_CHECKING:
    from splink import Linker
    from splink.internals.comparison import Comparison
    from splink.internals.settings_creator import SettingsCreator

ROUNDING = 0.001  # bits by which sums of the same weights may differ


@dataclass(frozen=True)
class Model:
    """Everything that decides a score, but for the two records."""

    domain: Domain
    weights: Weights
    features: Features
    population: int  # binary digits of the number of records, at least those of the prior
    threshold: float

    @property
    def prior(self) -> float:
        """How likely two random records are one: each record is expected to have one twin."""
        return float(2.0 ** (1 - self.population))

    def settings(self) -> "SettingsCreator":
        """Return Splink's settings; the blocks are ours, so that they hold no blocking rule."""
        from splink import SettingsCreator  # noqa: PLC0415 - slow to import

        return SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="group_number",
            comparisons=list(self.domain.comparisons(self.weights)),
            probability_two_random_records_match=self.prior,
            retain_matching_columns=True,  # or else it does not tell the levels either
            retain_intermediate_calculation_columns=True,
            linker_uid="concord",
        )

    def compared(self, dialect: str) -> "Sequence[Comparison]":
        """Return the comparisons with their levels, as Splink writes them for an engine."""
        return self.settings().get_settings(dialect).core_model_settings.comparisons


@dataclass(frozen=True)
class Scores:
    """The files with the pairs found, and how many pairs were compared."""

    files: Sequence[Path]
    compared: int


def score(model: Model, engine: Engine, folder: Path) -> Scores:
    """Score every pair of loaded groups that share a block, one of them affected."""
    compared = make_pairs(engine)
    if compared == 0:
        return Scores([], 0)
    query = _result_query(model, engine, predict(model, engine))
    return Scores(engine.write(query, folder / "scored"), compared)


def load(model: Model, engine: Engine, exported: Mapping[str, Path]) -> None:
    """Bring the exported groups with the frequencies of their values, and their blocks, in."""
    features = model.features
    kinds = {name: "list" if name in features.lists else "text" for name in features.columns}
    engine.load(
        "groups",
        exported["groups"],
        {"group_number": "integer", "is_affected": "boolean", "records": "bigint"} | kinds,
    )
    engine.load("blocks", exported["blocks"], {"group_number": "integer", "block": "bigint"})
    engine.load(
        "terms", exported["terms"], {"term": "text", "bucket": "integer", "is_rare": "boolean"}
    )
    engine.execute(f"create table features as {_features_query(model, engine)}")


def _features_query(model: Model, engine: Engine) -> str:
    """Every group with tf_<column>, and rare_<column>, beside columns whose frequencies weigh."""
    chosen, joins = ["groups.*"], []
    for column in model.features.scalar_weighed():
        chosen.append(
            f"case when groups.{column} is not null then power(2.0, "
            f"coalesce(terms_{column}.bucket, 1) - {model.population}) end as tf_{column}"
        )
        chosen.append(
            f"case when coalesce(terms_{column}.is_rare, true) then groups.{column} end "
            f"as rare_{column}"
        )
        joins.append(
            f"left join terms as terms_{column} "
            f"on terms_{column}.term = substring('{column}=' || groups.{column}, 1, {LONGEST_TERM})"
        )
    for column in model.features.list_weighed():
        if column in model.weights.term_frequency_columns:  # putting them in order costs most
            chosen.append(f"lists_{column}.tf_{column}")
        chosen.append(f"lists_{column}.rare_{column}")
        joins.append(
            f"left join ({engine.element_frequencies(column, model.population)}) "
            f"as lists_{column} on groups.group_number = lists_{column}.group_number"
        )
    return f"select {', '.join(chosen)} from groups {' '.join(joins)}"


def make_pairs(engine: Engine) -> int:
    """Pair the groups of every block once, and identical records with themselves."""
    engine.execute(
        "create table members as select blocks.group_number, blocks.block, groups.is_affected "
        "from blocks inner join groups on blocks.group_number = groups.group_number"
    )
    engine.execute(
        "create table pairs as "
        "select distinct one.group_number as join_key_l, other.group_number as join_key_r, "
        "'0' as match_key from members as one inner join members as other "
        "on one.block = other.block and one.group_number < other.group_number "
        "where one.is_affected or other.is_affected "
        "union all select distinct groups.group_number, groups.group_number, '0' from groups "
        "inner join blocks on groups.group_number = blocks.group_number "
        "where groups.records > 1 and groups.is_affected"
    )
    return engine.count("select count(*) from pairs")


def predict(model: Model, engine: Engine) -> str:
    """Score the pairs made and return the table that holds the likely ones."""
    _leave_hopeless_out(model, engine)
    linker = linker_on(model, engine, beside=engine.dialect == "duckdb")
    pairs = linker._db_api.register("hopeful_pairs")  # noqa: SLF001 - the one way to the linker's engine
    linker.table_management.register_blocked_pairs_for_predict(pairs)
    found = linker.inference.predict(
        threshold_match_probability=model.threshold, warning_mode="never"
    )
    return str(found.physical_name)


def _leave_hopeless_out(model: Model, engine: Engine) -> None:
    """Make a table of the pairs that can reach the threshold, by a bound on what they weigh."""
    rarest = 2.0 ** (1 - model.population)
    columns = engine.columns("features")
    lists = [c for c in columns if c.removeprefix("rare_") in model.features.lists]
    masks = {column: mask for column in lists if (mask := engine.mask(column))}
    compared = model.compared(engine.dialect)
    bounds = [most(one, rarest, engine.dialect, masks) for one in compared]
    weight = f"{log2(model.prior / (1 - model.prior))} + {' + '.join(bounds)}"
    least = log2(model.threshold / (1 - model.threshold)) - ROUNDING
    chosen = {column: column for column in columns}
    chosen |= {f"mask_{column}": mask for column, mask in masks.items()}
    asked = [name for name in chosen if f"{name}_l" in weight]
    looked_at = ", ".join(["group_number", *(f"{chosen[name]} as {name}" for name in asked)])
    engine.execute(f"create table glances as select {looked_at} from features")
    sides = [f"{side}.{name} as {name}_{side}" for name in asked for side in ("l", "r")]
    engine.execute(
        "create table hopeful_pairs as select join_key_l, join_key_r, match_key from ("
        f"select pairs.*, {', '.join(sides)} from pairs "
        "inner join glances as l on pairs.join_key_l = l.group_number "
        "inner join glances as r on pairs.join_key_r = r.group_number"
        f") as compared where {weight} >= {least}"
    )


def linker_on(model: Model, engine: Engine, *, beside: bool) -> "Linker":
    """Return Splink's linker over the loaded features.

    Frequencies are looked up beside the values where the engine can, else in tables.
    """
    from splink import Linker  # noqa: PLC0415 - slow to import

    api = engine.api()
    weighed = [
        c for c in model.features.scalar_weighed() if c in model.weights.term_frequency_columns
    ]
    compared = _compared_features(engine, weighed, beside=beside)
    linker = Linker(api.register(compared), model.settings(), log_level=None)
    for column in weighed:
        # Splink may not count for itself: what it sees are the records of one run only.
        lookup = api.register(f"frequencies_{column}")
        linker.table_management.register_term_frequency_lookup(lookup, column)
    return linker


def _compared_features(engine: Engine, weighed: Sequence[str], *, beside: bool) -> str:
    for column in weighed:
        engine.execute(
            f"create table frequencies_{column} as select distinct {column}, tf_{column} "
            f"from features where {column} is not null and {'false' if beside else 'true'}"
        )
    if beside:
        return "features"
    columns = engine.columns("features")
    taken = {f"tf_{column}" for column in weighed}
    chosen = ", ".join(column for column in columns if column not in taken)
    engine.execute(f"create table compared_features as select {chosen} from features")
    return "compared_features"


def _result_query(model: Model, engine: Engine, table: str) -> str:
    levels = [
        (
            comparison.output_column_name,
            {
                level.comparison_vector_value: level.label_for_charts
                for level in comparison.comparison_levels
            },
            any(level._has_tf_adjustments for level in comparison.comparison_levels),  # noqa: SLF001 - not told otherwise
        )
        for comparison in model.compared(engine.dialect)
    ]
    named_levels = ", ".join(_level_json(name, labels) for name, labels, _ in levels)
    named_weights = ", ".join(_weight_json(name, has_terms) for name, _, has_terms in levels)
    return (
        "select group_number_l, group_number_r, match_weight, match_probability, "
        f"'{{' || concat_ws(', ', {named_levels}) || '}}', "
        f"'{{' || concat_ws(', ', {named_weights}) || '}}' from {table}"
    )


def _level_json(name: str, labels: Mapping[int, str]) -> str:
    column = _column("gamma", name)
    whens = " ".join(
        f"when {value} then {_literal(json.dumps({name: label})[1:-1])}"
        for value, label in labels.items()
    )
    return f"case {column} {whens} end"


def _weight_json(name: str, has_terms: bool) -> str:
    bits = _column("mw", name) + (f" + {_column('mw_tf_adj', name)}" if has_terms else "")
    return f"{_literal(json.dumps(name) + ': ')} || cast(round({bits}, 4) as varchar(30))"


def _column(prefix: str, name: str) -> str:
    return f"{prefix}_{name}".replace(" ", "_")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
