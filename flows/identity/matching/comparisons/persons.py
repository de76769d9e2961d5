"""What is compared of two persons."""

from typing import TYPE_CHECKING

from flows.identity.matching.weights import Weights

if TYPE_CHECKING:
    from splink.internals.comparison_creator import ComparisonCreator

FEATURE_COLUMNS = ("normalised_first_name", "normalised_last_name", "birth_date", "emails")
TERM_FREQUENCY_COLUMNS = ("normalised_first_name", "normalised_last_name")


def comparisons(weights: Weights) -> list["ComparisonCreator"]:
    """Return the comparisons with the weights of the file."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        weights.comparison(
            name,
            [
                ("unknown", cll.NullLevel(column)),
                ("same", cll.ExactMatchLevel(column)),
                ("nearly the same", cll.JaroWinklerLevel(column, 0.9)),
                ("different", cll.ElseLevel()),
            ],
        )
        for name, column in (
            ("first name", "normalised_first_name"),
            ("last name", "normalised_last_name"),
        )
    ] + [
        weights.comparison(
            "birth date",
            [
                ("unknown", cll.NullLevel("birth_date")),
                ("same", cll.ExactMatchLevel("birth_date")),
                ("one digit differs", cll.LevenshteinLevel("birth_date", 1)),
                ("different", cll.ElseLevel()),
            ],
        ),
        weights.comparison(
            "email",
            [
                ("unknown", cll.NullLevel("emails")),
                ("same", cll.ArrayIntersectLevel("emails", min_intersection=1)),
                ("different", cll.ElseLevel()),
            ],
        ),
    ]
