"""What tells the members of a household from one person who is written down twice."""

from typing import TYPE_CHECKING

from flows.identity.matching.comparisons.names import FIRST, family, names_fit, sql

if TYPE_CHECKING:
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

YEARS_OF_A_GENERATION = 15


def of_another_generation() -> str:
    """Return SQL that is true when father and son, rather than a wrong digit, are likely."""
    years = (f"cast(substr(birth_date_{side}, 1, 4) as integer)" for side in ("l", "r"))
    return (
        f"abs({' - '.join(years)}) > {YEARS_OF_A_GENERATION} "
        "and damerau_levenshtein(birth_date_l, birth_date_r) > 1"
    )


def numbers_are_of_one_kind() -> str:
    """Return SQL that is true when two national ids look as if one register gave them."""
    first = ("substr(national_id_l, 1, 1)", "substr(national_id_r, 1, 1)")
    begins_with_letter = " = ".join(f"({letter} > '9')" for letter in first)
    return f"length(national_id_l) = length(national_id_r) and {begins_with_letter}"


def numbers_are_alike() -> str:
    """Return SQL that is true when both national ids are known and one, perhaps mistyped."""
    return "coalesce(damerau_levenshtein(national_id_l, national_id_r) <= 1, 1 = 0)"


def is_contradicted() -> str:
    """Return SQL that is true when birth dates or numbers say that two persons are meant.

    One number outweighs birth dates; one birth date or first name outweighs numbers.
    """
    other_number = (
        f"{numbers_are_of_one_kind()} and damerau_levenshtein(national_id_l, national_id_r) > 2"
    )
    like_person = (
        "coalesce(birth_date_l = birth_date_r, 1 = 0) "
        f"or coalesce(damerau_levenshtein({FIRST}_l, {FIRST}_r) <= 1, 1 = 1)"
    )
    return (
        f"((coalesce({of_another_generation()}, 1 = 0) and not {numbers_are_alike()}) "
        f"or (coalesce({other_number}, 1 = 0) and not ({like_person})))"
    )


def may_be_one() -> "ComparisonLevelCreator":
    """Names fit and neither birth dates nor numbers contradict them."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.And(names_fit(), sql(f"not {is_contradicted()}"))


def shares_a_mailbox_with_another() -> "ComparisonLevelCreator":
    """One mailbox, read by two of a family."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.And(
        sql("email_local_l = email_local_r"),
        cll.ExactMatchLevel("email_domain"),
        cll.Or(family(), sql(is_contradicted())),
    )


def another_of_the_household() -> "ComparisonLevelCreator":
    """Require a last name and a house or mailbox in common, and first names that do not fit."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    same_house = "street_l = street_r and coalesce(house_number_l = house_number_r, 1 = 1)"
    same_mailbox = "email_local_l = email_local_r and email_domain_l = email_domain_r"
    return cll.And(
        family(),
        sql(f"not {numbers_are_alike()}"),
        sql(f"coalesce({same_house}, 1 = 0) or coalesce({same_mailbox}, 1 = 0)"),
    )
