"""New weights are proposed with what they would change, and nothing changes by itself."""

from pathlib import Path
from random import Random

import pytest

from flows.core.warehouse import connect
from flows.estimate_matching import markdown
from flows.identity.matching import match
from flows.identity.matching.estimate import propose
from flows.identity.matching.weights import read_weights
from tests.fixtures.matching import (
    Company,
    company_domain,
    create_tables,
    put,
    small_weights,
)

TOWNS = [("oslo", "0150"), ("bergen", "5003"), ("odense", "5000"), ("malmo", "2110")]


def twins(count: int) -> list[Company]:
    """Make up companies that stand in both systems, some mistyped, some moved."""
    random = Random(3)
    companies = []
    for number in range(count):
        stem = "".join(random.choices(["fjor", "dal", "ver", "nor", "ska", "lin", "tor"], k=3))
        city, postal_code = random.choice(TOWNS)
        phones = (f"+47{number:08d}",)
        one = Company(f"a{number}", f"{stem} trading", "crm", city, postal_code, phones)
        name = one.name if number % 4 else f"{stem}s trading"
        moved = city if number % 5 else "hamar"
        companies += [one, Company(f"c{number}", name, "erp", moved, postal_code, phones)]
    return companies


@pytest.mark.usefixtures("warehouse")
def test_a_proposal_shows_what_would_change_and_changes_nothing(tmp_path: Path) -> None:
    with connect() as connection:
        create_tables(connection)
        put(connection, twins(120), version=1)
    weights = small_weights(0.001)
    match(company_domain(), 1, weights=weights)
    before = _scores()
    proposal = propose(company_domain(), tmp_path, present=weights)
    assert _scores() == before
    written = read_weights("customers", proposal.path)
    assert written.levels.keys() == weights.levels.keys()
    # Every twin has its telephone, which no third company has.
    assert written.of("phone", "same and rare").match_probability > 0.9
    names = [weight for (one, _), weight in written.levels.items() if one == "name"]
    assert sum(weight.match_probability for weight in names) == pytest.approx(1, abs=0.01)
    assert proposal.accepted >= 100
    page = markdown(proposal)
    assert f"{proposal.newly_accepted:,} more" in page
    assert "| phone | same and rare | 0.6 |" in page


def _scores() -> list[tuple[object, ...]]:
    with connect() as connection:
        return connection.execute(
            "select left_record, right_record, match_weight "
            "from identity.scored_pairs order by 1, 2"
        ).fetchall()
