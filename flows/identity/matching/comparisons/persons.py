"""What is compared of two persons.

Names decide: what colleagues and families have in common (a building, a telephone, an employer, a
mailbox, a last name) says little of two records whose names do not fit each other, so that those
comparisons look at the names as well.
"""

from typing import TYPE_CHECKING

from flows.identity.matching.comparisons.households import (
    another_of_the_household,
    is_contradicted,
    may_be_one,
    numbers_are_of_one_kind,
    of_another_generation,
    shares_a_mailbox_with_another,
)
from flows.identity.matching.comparisons.mailboxes import is_of_an_office
from flows.identity.matching.comparisons.names import (
    FIRST,
    LAST,
    begins_alike,
    exchanged,
    family,
    first_names_fit,
    is_missing,
    mistyped,
    names_are_others,
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
    "phone_ends",
    "customer_keys",
    "job_title",
)
DAYS_OF_A_MONTH, DAYS_OF_A_YEAR = 40, 400  # a month or a year off, and a few days

Levels = list[tuple[str, "ComparisonLevelCreator"]]


def comparisons(weights: Weights) -> list["ComparisonCreator"]:
    """Return the comparisons with the weights of the file."""
    levels = {
        "first name": _first_name(),
        "last name": _last_name(),
        "birth date": _birth_date(),
        "national id": _national_id(),
        "email": _email(),
        "address": _address(),
        "place of work": _place_of_work(),
        "job title": _job_title(),
    }
    return [
        weights.comparison(name, [_weighed(weights, name, *level) for level in compared])
        for name, compared in levels.items()
    ]


def _weighed(
    weights: Weights, comparison: str, label: str, level: "ComparisonLevelCreator"
) -> tuple[str, "ComparisonLevelCreator"]:
    """Let common values weigh less than the file says, and rare ones no more."""
    if not level.is_null_level:
        rarest = weights.of(comparison, label).random_probability
        level.configure(tf_minimum_u_value=rarest, disable_tf_exact_match_detection=True)
    return label, level


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
        ("another of one household", another_of_the_household()),
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
        ("of another generation", sql(of_another_generation())),
        ("different", cll.ElseLevel()),
    ]


def _national_id() -> Levels:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    # Whose passport is known here and whose licence there may well be one.
    other_kinds = (
        f"not ({numbers_are_of_one_kind()}) "
        "and damerau_levenshtein(national_id_l, national_id_r) > 1"
    )
    return [
        ("unknown", null(f"({is_missing('national_id')}) or ({other_kinds})")),
        ("same", cll.ExactMatchLevel("national_id")),
        ("mistyped", cll.DamerauLevenshteinLevel("national_id", 1)),
        ("different", cll.ElseLevel()),
    ]


def _email() -> Levels:
    """Short local parts are initials, where one other letter is another person."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    is_long = sql("least(length(email_local_l), length(email_local_r)) >= 6")
    mailboxes = (f"email_local_{side} || '@' || email_domain_{side}" for side in ("l", "r"))
    mistyped_letters = sql(f"damerau_levenshtein({', '.join(mailboxes)}) <= 2")
    mistyped_domain = cll.DamerauLevenshteinLevel("email_domain", 2)
    same_local = sql("email_local_l = email_local_r")
    same = cll.And(same_local, cll.ExactMatchLevel("email_domain"))
    similar = cll.And(*(cll.JaroWinklerLevel(f"email_{part}", 0.9) for part in ("local", "domain")))
    other_domain = sql("email_domain_l <> email_domain_r")
    return [
        ("unknown", null("email_local_l is null or email_local_r is null")),
        ("same mailbox, other names", cll.And(same_local, names_are_others())),
        ("same mailbox of a family", shares_a_mailbox_with_another()),
        ("same mailbox of an office", cll.And(same, sql(is_of_an_office("email_local_l")))),
        ("same", same),
        (
            "mistyped",
            cll.Or(cll.And(same_local, mistyped_domain), cll.And(is_long, mistyped_letters)),
        ),
        ("same name at another domain", cll.And(same_local, is_long)),
        ("similar at another domain", cll.And(similar, other_domain, is_long)),
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
        ("same building", cll.And(_same_building(), may_be_one())),
        ("same building, others live there", cll.And(_same_building(), sql(is_contradicted()))),
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
    phone = cll.ArrayIntersectLevel("phone_ends", min_intersection=1)
    return [
        (
            "unknown",
            null(
                "(customer_keys_l is null or customer_keys_r is null) "
                "and (phone_ends_l is null or phone_ends_r is null)"
            ),
        ),
        ("same customer and telephone", cll.And(customer, phone, may_be_one())),
        ("same telephone", cll.And(phone, may_be_one())),
        ("same customer", cll.And(customer, may_be_one())),
        ("same, but another last name", cll.And(cll.Or(customer, phone), first_names_fit())),
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
