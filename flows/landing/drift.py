"""How the columns of a batch differ from those of the batch before."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from flows.landing.batches import ColumnDrift

Types = Mapping[str, set[str]]


def drift(
    columns: Sequence[str],
    types: Types,
    previous: tuple[Sequence[str], Types] | None,
    canonical: AbstractSet[str] | None,
) -> tuple[ColumnDrift, ...]:
    """Return the new, missing and retyped columns; at first landing those not in the model.

    `canonical` is None for files in a shape of their own, whose columns a mapping knows.
    """
    if previous is None:
        unknown = [c for c in columns if canonical is not None and c not in canonical]
        return tuple(ColumnDrift(name, "unknown", "kept in raw, used nowhere") for name in unknown)
    before, types_before = previous
    new = [ColumnDrift(name, "new") for name in columns if name not in before]
    missing = [ColumnDrift(name, "missing") for name in before if columns and name not in columns]
    retyped = [
        ColumnDrift(name, "retyped", _detail(types_before[name], types[name]))
        for name in columns
        if _is_retyped(types_before.get(name, set()), types.get(name, set()))
    ]
    return (*new, *missing, *retyped)


def carried_types(types: Types, previous: tuple[Sequence[str], Types] | None) -> Types:
    """Return the types seen; for a column without any value now, those seen before."""
    before = previous[1] if previous else {}
    return {name: seen or before.get(name, set()) for name, seen in types.items()}


def _is_retyped(before: set[str], now: set[str]) -> bool:
    # Text may look like anything, so that only what never was text can stop being something else.
    return bool(before and now - before) and "text" not in before


def _detail(before: set[str], now: set[str]) -> str:
    return f"{' or '.join(sorted(before))} before, {' or '.join(sorted(now))} now"
