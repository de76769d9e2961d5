"""When the names of two persons fit each other, and when they are clearly those of others."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

FIRST, LAST = "normalised_first_name", "normalised_last_name"


def sql(condition: str) -> "ComparisonLevelCreator":
    """Return a level for a condition that DuckDB and Spark both understand."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.CustomLevel(condition)


def null(condition: str) -> "ComparisonLevelCreator":
    """Return a level that weighs nothing."""
    return sql(condition).configure(is_null_level=True)


def is_missing(column: str) -> str:
    """Return SQL that is true when a value is unknown of one record."""
    return f"{column}_l is null or {column}_r is null"


def one_name_is_missing() -> str:
    """Return SQL that is true when either record lacks a name."""
    return f"{is_missing(FIRST)} or {is_missing(LAST)}"


def stands_as_the_other() -> str:
    """Return SQL that is true when a first name of one record is the last name of the other."""
    return f"coalesce({FIRST}_l = {LAST}_r, 1 = 0) or coalesce({LAST}_l = {FIRST}_r, 1 = 0)"


def exchanged() -> str:
    """Return SQL that is true when first and last name are exchanged, perhaps mistyped."""
    return (
        f"({stands_as_the_other()}) and damerau_levenshtein({FIRST}_l, {LAST}_r) <= 2 "
        f"and damerau_levenshtein({LAST}_l, {FIRST}_r) <= 2"
    )


def begins_alike(column: str) -> str:
    """Return SQL that is true when one value is the beginning of the other."""
    left, right = f"{column}_l", f"{column}_r"
    return f"{left} like ({right} || '%') or {right} like ({left} || '%')"


def mistyped(column: str) -> "ComparisonLevelCreator":
    """One letter of a short name makes another name: Jan and Jon."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    is_long = sql(f"least(length({column}_l), length({column}_r)) >= 5")
    return cll.Or(
        cll.And(is_long, cll.DamerauLevenshteinLevel(column, 1)),
        cll.And(_is_of_like_length(column), cll.JaroWinklerLevel(column, 0.92)),
    )


def _is_of_like_length(column: str) -> "ComparisonLevelCreator":
    """Darla and Darletta begin alike, but nobody mistypes three letters."""
    return sql(f"abs(length({column}_l) - length({column}_r)) <= 2")


def first_names_fit() -> "ComparisonLevelCreator":
    """First names that may be one, whatever the last names say."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.Or(
        cll.ExactMatchLevel("given_name"),
        sql(begins_alike(FIRST)),
        sql(stands_as_the_other()),
        cll.And(_is_of_like_length(FIRST), cll.JaroWinklerLevel(FIRST, 0.88)),
    )


def _last_names_fit() -> "ComparisonLevelCreator":
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.Or(
        sql(begins_alike(LAST)),
        sql(stands_as_the_other()),
        cll.JaroWinklerLevel(LAST, 0.88),
    )


def names_fit() -> "ComparisonLevelCreator":
    """First and last names that fit, as far as they are known; one of them must be."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    first_fits = cll.And(first_names_fit(), cll.Or(sql(is_missing(LAST)), _last_names_fit()))
    return cll.Or(first_fits, cll.And(sql(is_missing(FIRST)), _last_names_fit()))


def names_are_others() -> "ComparisonLevelCreator":
    """Both names are known and neither fits."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.And(
        sql(f"not ({one_name_is_missing()})"),
        cll.Not(first_names_fit()),
        cll.Not(_last_names_fit()),
    )


def family() -> "ComparisonLevelCreator":
    """Require the same last name, and first names that do not fit."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.And(
        cll.ExactMatchLevel(LAST),
        sql(f"not ({is_missing(FIRST)})"),
        cll.Not(first_names_fit()),
    )
