"""What is compared of two persons.

Names decide: what colleagues and families have in common (a building, a telephone, an employer, a
mailbox, a last name) says little of two records whose names do not fit each other, so that those
comparisons look at the names as well.
"""

from typing import TYPE_CHECKING

from flows.identity.matching.comparisons.names import (
    FIRST,
    LAST,
    begins_alike,
    exchanged,
    family,
    is_missing,
    mistyped,
    names_are_others,
    names_fit,
    null,
    one_name_is_missing,
    sql,
    stands_as_the_other,
)
from flows.identity.matching.weights import Weights

if TYPE_CHECKING:
    from splink.internals.comparison_creator import ComparisonCreator
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

FEATURE_COLUMNS = (
    FIRST,
    LAST,
    "given_name",
    "birth_date",
    "national_id",
    "email_local",
    "email_domain",
    "street",
    "house_number",
    "postal_code",
    "city",
    "phones",
    "customer_keys",
    "job_title",
)
DAYS_OF_A_MONTH, DAYS_OF_A_YEAR = 40, 400  # a month or a year off, and a few days

Levels = list[tuple[str, "ComparisonLevelCreator"]]


def comparisons(weights: Weights) -> list["ComparisonCreator"]:
    """Return the comparisons with the weights of the file."""
    return [
        weights.comparison("first name", _first_name()),
        weights.comparison("last name", _last_name()),
        weights.comparison("birth date", _birth_date()),
        weights.comparison("national id", _national_id()),
        weights.comparison("email", _email()),
        weights.comparison("address", _address()),
        weights.comparison("place of work", _place_of_work()),
        weights.comparison("job title", _job_title()),
    ]


def _first_name() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        ("unknown", null(f"({is_missing(FIRST)}) and not ({stands_as_the_other()})")),
        ("same", cll.ExactMatchLevel(FIRST)),
        ("same but for a nickname or a middle name", cll.ExactMatchLevel("given_name")),
        ("first and last name exchanged", sql(exchanged())),
        ("stands as last name", sql(f"({stands_as_the_other()}) and ({one_name_is_missing()})")),
        ("mistyped", mistyped(FIRST)),
        ("initial or beginning", sql(begins_alike(FIRST))),
        ("similar", cll.JaroWinklerLevel(FIRST, 0.8)),
        ("different", cll.ElseLevel()),
    ]


def _last_name() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    weighed_as_first_name = (
        f"{LAST}_l <> {LAST}_r and ({stands_as_the_other()}) "
        f"and (({one_name_is_missing()}) or ({exchanged()}))"
    )
    return [
        ("unknown", null(f"({is_missing(LAST)}) or ({weighed_as_first_name})")),
        ("same, of another first name", family()),
        ("same", cll.ExactMatchLevel(LAST)),
        ("mistyped", mistyped(LAST)),
        ("initial or beginning", sql(begins_alike(LAST))),
        ("similar", cll.JaroWinklerLevel(LAST, 0.8)),
        ("different", cll.ElseLevel()),
    ]


def _birth_date() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    day_and_month_exchanged = (
        "substr(birth_date_l, 1, 4) = substr(birth_date_r, 1, 4) "
        "and substr(birth_date_l, 6, 2) = substr(birth_date_r, 9, 2) "
        "and substr(birth_date_l, 9, 2) = substr(birth_date_r, 6, 2)"
    )
    return [
        ("unknown", cll.NullLevel("birth_date")),
        ("same", cll.ExactMatchLevel("birth_date")),
        ("mistyped", cll.DamerauLevenshteinLevel("birth_date", 1)),
        ("day and month exchanged", sql(day_and_month_exchanged)),
        ("a month apart at most", _days_apart(DAYS_OF_A_MONTH)),
        ("a year apart at most", _days_apart(DAYS_OF_A_YEAR)),
        ("different", cll.ElseLevel()),
    ]


def _national_id() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        ("unknown", cll.NullLevel("national_id")),
        ("same", cll.ExactMatchLevel("national_id")),
        ("mistyped", cll.DamerauLevenshteinLevel("national_id", 1)),
        ("different", cll.ElseLevel()),
    ]


def _email() -> Levels:
    """Short local parts are initials, where one other letter is another person."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    locals_are_long = "least(length(email_local_l), length(email_local_r)) >= 6"
    same = "email_local_l = email_local_r and email_domain_l = email_domain_r"
    both = sql("email_local_l = email_local_r")
    return [
        ("unknown", null("email_local_l is null or email_local_r is null")),
        ("same mailbox, other names", cll.And(both, names_are_others())),
        ("same", _rare(sql(same))),
        (
            "mistyped",
            cll.Or(
                cll.And(both, cll.DamerauLevenshteinLevel("email_domain", 2)),
                cll.And(
                    sql(locals_are_long),
                    sql(f"damerau_levenshtein({_address_of('l')}, {_address_of('r')}) <= 2"),
                ),
            ),
        ),
        (
            "same name at another domain",
            sql(f"email_local_l = email_local_r and {locals_are_long}"),
        ),
        (
            "similar at another domain",
            cll.And(
                cll.JaroWinklerLevel("email_local", 0.9),
                cll.JaroWinklerLevel("email_domain", 0.9),
                sql(f"email_domain_l <> email_domain_r and {locals_are_long}"),
            ),
        ),
        ("same domain", cll.ExactMatchLevel("email_domain")),
        ("different", cll.ElseLevel()),
    ]


def _address() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    nothing = (
        "(postal_code_l is null or postal_code_r is null) and (city_l is null or city_r is null)"
    )
    area = (
        "length(postal_code_l) >= 5 and substr(postal_code_l, 1, length(postal_code_l) - 3) "
        "= substr(postal_code_r, 1, length(postal_code_r) - 3)"
    )
    near_code = cll.DamerauLevenshteinLevel("postal_code", 1)
    near_town = cll.JaroWinklerLevel("city", 0.9)
    return [
        ("unknown", null(nothing)),
        ("same building", cll.And(_same_building(), names_fit())),
        ("same building, other or no name", _same_building()),
        ("same postal code", cll.ExactMatchLevel("postal_code")),
        ("mistyped postal code, same town", cll.And(near_code, near_town)),
        ("same postal area", sql(area)),
        ("same town", cll.ExactMatchLevel("city")),
        ("mistyped town", cll.Or(cll.DamerauLevenshteinLevel("city", 2), near_town)),
        ("mistyped postal code", near_code),
        ("same street", cll.JaroWinklerLevel("street", 0.88)),
        ("different", cll.ElseLevel()),
    ]


def _place_of_work() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    customer = cll.ArrayIntersectLevel("customer_keys", min_intersection=1)
    phone = cll.ArrayIntersectLevel("phones", min_intersection=1)
    return [
        (
            "unknown",
            null(
                "(customer_keys_l is null or customer_keys_r is null) "
                "and (phones_l is null or phones_r is null)"
            ),
        ),
        ("same customer and telephone", cll.And(customer, phone, names_fit())),
        ("same telephone", cll.And(phone, names_fit())),
        ("same customer", cll.And(customer, names_fit())),
        ("colleagues", cll.Or(customer, phone)),
        ("different", cll.ElseLevel()),
    ]


def _job_title() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        ("unknown", cll.NullLevel("job_title")),
        ("same", cll.ExactMatchLevel("job_title")),
        ("different", cll.ElseLevel()),
    ]


def _rare(level: "ComparisonLevelCreator") -> "ComparisonLevelCreator":
    """Let the level's own weight stand for that of the frequency of its value."""
    return level.configure(disable_tf_exact_match_detection=True)


def _same_building() -> "ComparisonLevelCreator":
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.And(
        cll.JaroWinklerLevel("street", 0.88),
        sql("coalesce(house_number_l = house_number_r, 1 = 1)"),
        cll.Or(cll.ExactMatchLevel("postal_code"), cll.JaroWinklerLevel("city", 0.9)),
    )


def _days_apart(days: int) -> "ComparisonLevelCreator":
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.AbsoluteDateDifferenceLevel(
        "birth_date", input_is_string=True, threshold=days, metric="day"
    )


def _address_of(side: str) -> str:
    return f"email_local_{side} || '@' || email_domain_{side}"
