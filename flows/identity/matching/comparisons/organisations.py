"""What is compared of two companies.

A name decides, an address supports: companies of a group share their address, telephone and web
site, so that together these count once, and for little where more than a few records hold them.
"""

from typing import TYPE_CHECKING

from flows.identity.matching.weights import Weights

if TYPE_CHECKING:
    from splink.internals.comparison_creator import ComparisonCreator
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

FEATURE_COLUMNS = (
    "normalised_name",
    "joined_name",
    "name_words",
    "initials",
    "legal_form",
    "tax_key",
    "registration_key",
    "tax_country",
    "phones",
    "website_domain",
    "email_domain",
    "street",
    "house_number",
    "postal_code",
    "city",
    "country",
    "addresses",
)
RARE_COLUMNS = ("normalised_name", "phones", "website_domain", "email_domain", "addresses")
# Words that tell one company of a group from another, in the spelling of normalised names.
GROUP_WORDS = (
    "holding", "holdings", "group", "gruppen", "gruppe", "konsern", "invest", "investment",
    "investments", "eiendom", "eiendommer", "ejendomme", "fastigheter", "kiinteistot", "immobilien",
    "property", "properties", "estate", "naringseiendom", "utleie", "utvikling",
    "development", "drift", "operations", "shipping", "rederi", "finans", "finance", "financial",
    "kapital", "capital", "ventures", "beteiligungs", "beteiligung", "verwaltungs", "verwaltung",
    "management", "leasing", "pensjonskasse", "stiftelse", "foundation", "trust", "trading",
    "energy", "energi", "offshore", "logistics", "logistikk", "technology", "technologies",
    "international", "norge", "norway", "sverige", "sweden", "danmark", "denmark", "suomi",
    "finland", "deutschland", "germany", "uk", "usa", "europe", "nordic", "asia",
    "east", "west", "north", "south", "ost", "vest", "nord", "sor", "syd", "fund", "funds",
    "pension", "trustees", "nominees", "securities", "insurance", "forsikring", "retail", "sales",
    "salg", "produksjon", "production", "industries", "industrier",
)  # fmt: skip


def comparisons(weights: Weights) -> list["ComparisonCreator"]:
    """Return the comparisons with the weights of the file."""
    return [
        weights.comparison("name", _name_levels()),
        weights.comparison("legal form", _legal_form_levels()),
        weights.comparison("number", _number_levels()),
        weights.comparison("contact", _contact_levels()),
        weights.comparison("address", _address_levels()),
    ]


def _custom(condition: str) -> "ComparisonLevelCreator":
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return cll.CustomLevel(condition, base_dialect_str="duckdb")


def _null(condition: str) -> "ComparisonLevelCreator":
    return _custom(condition).configure(is_null_level=True)


def _name_levels() -> list[tuple[str, "ComparisonLevelCreator"]]:
    return [*_levels_of_one_name(), *_levels_of_two_names()]


def _levels_of_one_name() -> list[tuple[str, "ComparisonLevelCreator"]]:
    """Names that are the same, if not written the same."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        ("unknown", cll.NullLevel("normalised_name")),
        (
            "same but for the legal form",
            _custom("normalised_name_l = normalised_name_r and legal_form_l <> legal_form_r"),
        ),
        (
            "same at one address or telephone",
            _custom(
                "normalised_name_l = normalised_name_r "
                f"and ({_common('addresses')} or {_common('phones')})"
            ),
        ),
        (
            "same, rare and of several words",
            _custom(
                "rare_normalised_name_l = rare_normalised_name_r and array_length(name_words_l) > 1"
            ),
        ),
        ("same and rare", _custom("rare_normalised_name_l = rare_normalised_name_r")),
        ("same", cll.ExactMatchLevel("normalised_name")),
        (
            "same words",
            _custom("joined_name_l = joined_name_r or name_words_l = name_words_r"),
        ),
    ]


def _levels_of_two_names() -> list[tuple[str, "ComparisonLevelCreator"]]:
    """Names that differ, and in what."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    left, right = _words_of_one("l", "r"), _words_of_one("r", "l")
    group_words = ", ".join(f"'{word}'" for word in GROUP_WORDS)
    more = f"(array_length({left}) = 0 or array_length({right}) = 0)"
    return [
        (
            "other number",
            _custom(
                f"{_numbers(left)} > 0 or {_numbers(right)} > 0 or "
                f"({_numbers(left, letters=True)} > 0 and {_numbers(right, letters=True)} > 0)"
            ),
        ),
        ("mistyped", _mistyped(1, 5)),
        ("mistyped twice", _mistyped(2, 12)),
        ("shortened", _custom(f"{_aligned(left, right)} and {_aligned(right, left)}")),
        (
            "other company of the group",
            _custom(
                f"{more} and array_length(list_filter([{group_words}], w -> "
                f"list_contains({left}, w) or list_contains({right}, w))) > 0"
            ),
        ),
        ("more words", _custom(more)),
        (
            "initials",
            _custom(
                "(initials_l = joined_name_r and length(initials_l) >= 3) or "
                "(initials_r = joined_name_l and length(initials_r) >= 3)"
            ),
        ),
        (
            "some words differ",
            _custom("array_length(array_intersect(name_words_l, name_words_r)) > 0"),
        ),
        ("different", cll.ElseLevel()),
    ]


def _mistyped(letters: int, at_least: int) -> "ComparisonLevelCreator":
    """Return a level for names of some length of which so few letters differ."""
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    shorter = "least(length(normalised_name_l), length(normalised_name_r))"
    return cll.And(
        # So few changes leave at least this much alike, and that is told far sooner.
        _custom(f"abs(length(normalised_name_l) - length(normalised_name_r)) <= {letters}"),
        _custom(f"{shorter} >= {at_least}"),
        cll.JaroLevel("normalised_name", 0.75),
        cll.LevenshteinLevel("normalised_name", 2 * letters),
        cll.DamerauLevenshteinLevel("normalised_name", letters),
    )


def _words_of_one(this: str, other: str) -> str:
    """Return SQL for the words that only one of the two names has."""
    return f"list_filter(name_words_{this}, w -> not list_contains(name_words_{other}, w))"


def _numbers(words: str, *, letters: bool = False) -> str:
    """Return SQL for how many words are numbers, or single letters, which tell namesakes apart."""
    pattern = "^([0-9]+.?|i+|iv|vi*|ix|x)$" if not letters else "^[a-z]$"
    return f"array_length(list_filter({words}, w -> regexp_matches(w, '{pattern}')))"


def _aligned(these: str, others: str) -> str:
    """Return SQL that is true when each word on this side shortens, or is short for, one there."""
    short = (
        "(length(w) >= 2 and starts_with(o, w)) or (length(o) >= 2 and starts_with(w, o)) "
        "or (left(w, 4) = left(o, 4) and abs(length(w) - length(o)) >= 3)"
    )
    alone = f"list_filter({these}, w -> array_length(list_filter({others}, o -> {short})) = 0)"
    return f"(array_length({these}) > 0 and array_length({alone}) = 0)"


def _legal_form_levels() -> list[tuple[str, "ComparisonLevelCreator"]]:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        ("unknown", cll.NullLevel("legal_form")),
        ("same", cll.ExactMatchLevel("legal_form")),
        ("different", cll.ElseLevel()),
    ]


def _number_levels() -> list[tuple[str, "ComparisonLevelCreator"]]:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        (
            "unknown",
            _null(
                "(registration_key_l is null or registration_key_r is null) "
                "and (tax_key_l is null or tax_key_r is null)"
            ),
        ),
        ("same", _custom("registration_key_l = registration_key_r or tax_key_l = tax_key_r")),
        ("different", cll.ElseLevel()),
    ]


def _contact_levels() -> list[tuple[str, "ComparisonLevelCreator"]]:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    phone, rare_phone = (_common(f"{rarity}phones") for rarity in ("", "rare_"))
    site, rare_site = _same_site(""), _same_site("rare_")
    no_phone = "(phones_l is null or phones_r is null)"
    no_site = (
        "(coalesce(website_domain_l, email_domain_l) is null "
        "or coalesce(website_domain_r, email_domain_r) is null)"
    )
    return [
        ("unknown", _null(f"{no_phone} and {no_site}")),
        ("same phone and site", _custom(f"({rare_phone}) and ({rare_site})")),
        ("same phone", _custom(rare_phone)),
        ("same site", _custom(rare_site)),
        ("same phone and site, shared by others", _custom(f"({phone}) and ({site})")),
        ("same, shared by others", _custom(f"({phone}) or ({site})")),
        ("phone and site differ", _custom(f"not ({no_phone}) and not ({no_site})")),
        ("different", cll.ElseLevel()),
    ]


def _same_site(rarity: str) -> str:
    pairs = [
        f"{rarity}{one}_domain_l = {rarity}{other}_domain_r"
        for one in ("website", "email")
        for other in ("website", "email")
    ]
    return " or ".join(pairs)


def _common(column: str) -> str:
    return f"array_length(array_intersect({column}_l, {column}_r)) > 0"


def _address_levels() -> list[tuple[str, "ComparisonLevelCreator"]]:
    import splink.comparison_level_library as cll  # noqa: PLC0415 - slow, only scoring needs it

    return [
        (
            "unknown",
            _null(
                "(postal_code_l is null and city_l is null and street_l is null) "
                "or (postal_code_r is null and city_r is null and street_r is null)"
            ),
        ),
        ("another country", _custom("country_l <> country_r")),
        ("same address", _custom(_common("rare_addresses"))),
        ("same address, shared by others", _custom(_common("addresses"))),
        (
            "same street and number",
            _custom("street_l = street_r and house_number_l = house_number_r"),
        ),
        (
            "similar street, same number",
            cll.And(
                cll.Or(
                    cll.JaroWinklerLevel("street", 0.88),
                    _custom("starts_with(street_l, street_r) or starts_with(street_r, street_l)"),
                ),
                _custom(
                    "house_number_l = house_number_r "
                    "and (postal_code_l = postal_code_r or city_l = city_r)"
                ),
            ),
        ),
        ("same postal code", cll.ExactMatchLevel("postal_code")),
        ("same town", cll.ExactMatchLevel("city")),
        ("different", cll.ElseLevel()),
    ]
