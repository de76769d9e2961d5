"""The weights file says what a level means, and says clearly what is wrong with itself."""

from pathlib import Path

import pytest

from flows.core.errors import MatchingError
from flows.identity.matching.domains import Features, domain_named
from flows.identity.matching.estimate import write_weights
from flows.identity.matching.scoring import Model
from flows.identity.matching.weights import read_weights

HEAD = "domain,comparison,level,match_probability,random_probability,term_frequency\n"
PRIOR = "customers,prior,two random records,0.001,1,\n"
NAME = "customers,name,same,0.9,0.01,normalised_name\ncustomers,name,different,0.1,0.99,\n"


def weights_file(folder: Path, *rows: str) -> Path:
    path = folder / "match_weights_customers.csv"
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return path


def test_levels_and_the_columns_whose_frequencies_weigh_are_read(tmp_path: Path) -> None:
    weights = read_weights("customers", weights_file(tmp_path, PRIOR, NAME))
    assert weights.prior == 0.001
    assert weights.of("name", "same").match_probability == 0.9
    assert weights.term_frequency_columns == ("normalised_name",)


def test_a_level_without_a_row_is_named_with_its_comparison(tmp_path: Path) -> None:
    weights = read_weights("customers", weights_file(tmp_path, PRIOR, NAME))
    with pytest.raises(MatchingError, match=r"no row for level 'similar' of comparison 'name'"):
        weights.of("name", "similar")


@pytest.mark.parametrize("value", ["", "0", "1.5", "often"])
def test_what_is_no_probability_is_refused_with_its_level(tmp_path: Path, value: str) -> None:
    broken = f"customers,name,same,{value},0.01,\n"
    with pytest.raises(MatchingError, match=r"level 'same' of comparison 'name'"):
        read_weights("customers", weights_file(tmp_path, PRIOR, broken))


def test_a_file_without_a_prior_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="has no row customers,prior,two random records"):
        read_weights("customers", weights_file(tmp_path, NAME))


def test_any_other_weight_is_another_signature(tmp_path: Path) -> None:
    one = read_weights("customers", weights_file(tmp_path, PRIOR, NAME))
    other = read_weights("customers", weights_file(tmp_path, PRIOR, NAME.replace("0.9,", "0.8,")))
    assert one.signature != other.signature


def test_weights_written_are_read_again_as_they_were(tmp_path: Path) -> None:
    weights = read_weights("customers", weights_file(tmp_path, PRIOR, NAME))
    again = read_weights("customers", write_weights(weights, tmp_path / "copy" / "weights.csv"))
    assert (again.levels, again.prior) == (weights.levels, weights.prior)


def test_a_record_is_expected_to_have_one_twin_however_many_records_there_are(
    tmp_path: Path,
) -> None:
    weights = read_weights("customers", weights_file(tmp_path, PRIOR, NAME))
    model = Model(domain_named("customers"), weights, Features((), (), frozenset()), 11, 0.5)
    assert model.prior == 1 / 1024


@pytest.mark.parametrize("domain", ["customers", "contacts"])
def test_the_reviewed_weights_fit_the_comparisons_made(domain: str) -> None:
    """Every level compared has its row, and no row is for a level that nothing compares."""
    chosen = domain_named(domain)
    weights = read_weights(domain)
    made = [one.get_comparison("duckdb") for one in chosen.comparisons(weights)]
    compared = {
        (comparison.output_column_name, level.label_for_charts)
        for comparison in made
        for level in comparison.comparison_levels
        if not level.is_null_level
    }
    assert compared == set(weights.levels)


def test_only_known_domains_are_matched() -> None:
    with pytest.raises(MatchingError, match="'planets' is not matched"):
        domain_named("planets")
