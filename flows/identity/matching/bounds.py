"""How much a pair can weigh at most, told from what is quick to compare.

Most pairs of a block are hopeless: they miss the threshold whatever the slow comparisons say.
Asking the quick conditions alone finds them at a fraction of the cost, and changes no score.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from math import log2
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from splink.internals.comparison import Comparison
    from splink.internals.comparison_level import ComparisonLevel

# Functions that cost more than a look at the values; each dialect calls them in its own way.
SLOW = ("jaro", "levenshtein", "list_filter", "filter(", "regexp", "rlike", "soundex")
INTERSECTION = re.compile(r"array_length\(array_intersect\((\w+)_l, \1_r\)\) > 0", re.IGNORECASE)
LISTS = ("array_intersect", "arrays_overlap", "list_contains", "array_contains")


def most(
    comparison: "Comparison", rarest: float, dialect: str, masked: Collection[str] = ()
) -> str:
    """Return SQL for at most how many bits a comparison adds, `rarest` the least frequency of all.

    Levels are asked in their order. Of one that is slow only the quick part is asked: where that
    holds, the level may hold, or a later one. Of lists that are `masked`, with one bit per value
    in mask_<column>, only the masks are looked at.
    """
    levels = comparison.comparison_levels
    weights = [_most_bits(level, levels, rarest) for level in levels]
    bound, lowest = _bits(weights[-1]), weights[-1]
    for level, weight in reversed([*zip(levels, weights, strict=True)][:-1]):
        if weight <= lowest and _names_any((*SLOW, *LISTS), level.sql_condition):
            continue  # not asked, it counts for no less than it weighs
        parts = [part.sql(dialect) for part in _conjuncts(_parsed(level.sql_condition, dialect))]
        quick = [_by_mask(part, masked) for part in parts if not _names_any(SLOW, part)]
        condition = " and ".join(f"({part})" for part in quick) or "1 = 1"
        if quick == parts:
            bound = f"case when {condition} then {_bits(weight)} else {bound} end"
        else:
            bound = f"greatest(case when {condition} then {_bits(weight)} end, {bound})"
        lowest = min(lowest, weight)
    return bound


def _most_bits(
    level: "ComparisonLevel", levels: Sequence["ComparisonLevel"], rarest: float
) -> float:
    """Return a level's weight with the most that the rarity of a value can add."""
    bits = float(level._match_weight or 0)  # noqa: SLF001 - not told otherwise
    if not level._has_tf_adjustments:  # noqa: SLF001 - as above
        return bits
    usual = level._u_probability_corresponding_to_exact_match([*levels])  # noqa: SLF001 - as above
    least = max(rarest, level._tf_minimum_u_value)  # noqa: SLF001 - as above
    return bits + max(0.0, level._tf_adjustment_weight * log2(usual / least))  # noqa: SLF001


def _bits(weight: float) -> str:
    return f"cast({weight} as double)"


def _by_mask(condition: str, masked: Collection[str]) -> str:
    """Ask whether masks meet, which they do when the lists do, and at times else."""
    if "not " in condition.lower():
        return condition
    return INTERSECTION.sub(
        lambda found: (
            f"(mask_{found[1]}_l & mask_{found[1]}_r) <> 0" if found[1] in masked else found[0]
        ),
        condition,
    )


def _names_any(functions: Sequence[str], condition: str) -> bool:
    return any(name in condition.lower() for name in functions)


def _parsed(condition: str, dialect: str) -> Any:  # noqa: ANN401 - sqlglot's own type
    from sqlglot import parse_one  # noqa: PLC0415 - only scoring needs it

    return parse_one(condition, read=dialect)


def _conjuncts(condition: Any) -> Iterator[Any]:  # noqa: ANN401 - sqlglot's own type
    """Yield the conditions that must all hold."""
    from sqlglot import exp  # noqa: PLC0415 - only scoring needs it

    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition
