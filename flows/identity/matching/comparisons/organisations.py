"""What is compared of two companies."""

from typing import TYPE_CHECKING

from flows.identity.matching.weights import Weights

if TYPE_CHECKING:
    from splink.internals.comparison_creator import ComparisonCreator

FEATURE_COLUMNS = ("normalised_name", "name_words", "postal_code", "city", "country", "phones")
TERM_FREQUENCY_COLUMNS = ("normalised_name", "city", "postal_code")


def comparisons(weights: Weights) -> list["ComparisonCreator"]:
    """Return the comparisons with the weights of the file."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        weights.comparison(
            "name",
            [
                ("unknown", cll.NullLevel("normalised_name")),
                ("same", cll.ExactMatchLevel("normalised_name")),
                ("nearly the same", cll.JaroWinklerLevel("normalised_name", 0.92)),
                ("different", cll.ElseLevel()),
            ],
        ),
        weights.comparison(
            "town",
            [
                ("unknown", cll.And(cll.NullLevel("postal_code"), cll.NullLevel("city"))),
                ("same postal code", cll.ExactMatchLevel("postal_code")),
                ("same town", cll.ExactMatchLevel("city")),
                ("different", cll.ElseLevel()),
            ],
        ),
        weights.comparison(
            "phone",
            [
                ("unknown", cll.NullLevel("phones")),
                ("same", cll.ArrayIntersectLevel("phones", min_intersection=1)),
                ("different", cll.ElseLevel()),
            ],
        ),
    ]
