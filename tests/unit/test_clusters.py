"""Clusters depend on the set of links alone, and never break what holds records apart."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.identity.awards import Past, award
from flows.identity.clusters import Clusters, Evidence, Sets, cluster
from flows.identity.constraints import Link, Node, Pair
from flows.identity.policies import Policy, Terms


def key(left: int, right: int) -> Link:
    return Link(left, right, "key", "tax_id", 1.0)


def model(left: int, right: int, probability: float = 0.97) -> Link:
    return Link(left, right, "model", "splink", probability)


def clusters_of(  # noqa: PLR0913 - what clusters depend on
    links: Iterable[Link],
    nodes: int | Sequence[Node] = 6,
    *,
    apart: Iterable[Pair] = (),
    clashes: Iterable[Pair] = (),
    support: Iterable[Pair] = (),
    policy: Policy | None = None,
) -> Clusters:
    found = [Node("crm")] * nodes if isinstance(nodes, int) else list(nodes)
    records = [f"r{number}" for number in range(len(found))]
    return cluster(Evidence(records, found, links, apart, clashes, support, policy or Policy()))


def test_linked_nodes_share_a_cluster_named_by_its_smallest_node() -> None:
    found = clusters_of([key(4, 3), model(5, 4), key(1, 0)])
    assert list(found.labels) == [0, 0, 2, 3, 3, 3]


def test_a_chain_of_100_000_nodes_is_one_set() -> None:
    sets = Sets(100_000)
    for node in range(99_999):
        sets.join(sets.root(node), sets.root(node + 1))
    assert set(sets.labels()) == {0}


def test_a_link_of_a_record_with_itself_says_nothing() -> None:
    found = clusters_of([key(1, 1)], 2)
    assert list(found.labels) == [0, 1]
    assert found.strongest == {}


def test_a_record_tells_its_strongest_link() -> None:
    found = clusters_of([model(0, 1, 0.99), key(1, 2), Link(0, 1, "steward", "ruling", 1)], 3)
    methods = {node: link.method for node, link in found.strongest.items()}
    assert methods == {0: "steward", 1: "steward", 2: "key"}


def test_two_records_ruled_different_are_kept_apart_at_the_weakest_link_between_them() -> None:
    found = clusters_of([key(0, 1), model(1, 2, 0.96), model(2, 3, 0.99)], 4, apart=[(0, 3)])
    assert list(found.labels) == [0, 0, 2, 2]
    [(link, refusal)] = found.blocked
    assert (link.left, link.right, *refusal) == (1, 2, "keep_apart", "r0 / r3")


def test_not_even_a_key_or_a_person_joins_what_is_kept_apart() -> None:
    for method in ("key", "steward"):
        found = clusters_of([Link(0, 1, method, None, 1)], 2, apart=[(1, 0)])
        assert list(found.labels) == [0, 1]


def test_numbers_of_one_register_that_differ_stop_rules_and_the_model_but_not_keys() -> None:
    nodes = [Node("crm", ("NO-org:1",)), Node("erp", ("NO-org:2", "SE-org:1"))]
    for link, joined in [(model(0, 1), False), (key(0, 1), True)]:
        assert (clusters_of([link], nodes).labels[1] == 0) == joined
    assert clusters_of([model(0, 1)], nodes).blocked[0][1] == ("clash", "NO-org 1 / 2")


def test_numbers_of_other_registers_or_in_common_do_not_clash() -> None:
    nodes = [Node("crm", ("NO-org:1",)), Node("erp", ("SE-org:1",)), Node("erp", ("NO-org:1",))]
    assert list(clusters_of([model(0, 1), model(1, 2)], nodes).labels) == [0, 0, 0]


def test_a_clash_is_seen_through_a_record_without_a_number() -> None:
    nodes = [Node("crm", ("NO-org:1",)), Node("crm"), Node("crm", ("NO-org:2",))]
    found = clusters_of([model(0, 1, 0.99), model(1, 2, 0.98)], nodes)
    assert list(found.labels) == [0, 0, 2]


@pytest.mark.parametrize(
    ("cardinality", "kept"),
    [
        ("one_to_one", {(0, 2)}),
        ("many_to_one", {(0, 2), (1, 2), (0, 1)}),
        ("one_to_many", {(0, 2), (0, 3), (2, 3)}),
    ],
)
def test_a_cluster_holds_no_more_records_of_a_system_than_the_policy_allows(
    cardinality: str, kept: set[Pair]
) -> None:
    nodes = [Node("crm"), Node("crm"), Node("erp"), Node("erp")]
    links = [model(0, 2, 0.99), model(1, 2, 0.98), model(0, 3, 0.97)]
    terms = Terms(cardinality=cardinality)
    for policy in (
        Policy([("crm", "erp", terms)]),
        Policy([("erp", "crm", terms.flipped())]),
        Policy([("crm", "*", terms), ("*", "*", Terms(cardinality="one_to_one"))])
        if cardinality == "one_to_one"
        else Policy([("crm", "erp", terms), ("*", "*", Terms())]),
    ):
        labels = clusters_of(links, nodes, policy=policy).labels
        assert {
            pair for pair in combinations(range(4), 2) if labels[pair[0]] == labels[pair[1]]
        } == kept


def test_a_record_merged_away_in_its_own_system_does_not_count_as_one_too_many() -> None:
    nodes = [Node("crm"), Node("crm", is_merged=True), Node("erp")]
    policy = Policy([("*", "*", Terms(cardinality="one_to_one"))])
    found = clusters_of([key(0, 1), key(0, 2)], nodes, policy=policy)
    assert list(found.labels) == [0, 0, 0]


def test_a_person_may_link_more_than_the_policy_allows() -> None:
    policy = Policy([("*", "*", Terms(cardinality="one_to_one"))])
    assert clusters_of([key(0, 1)], 2, policy=policy).blocked[0][1].reason == "cardinality"
    person = Link(0, 1, "steward", "ruling", 1)
    assert list(clusters_of([person], 2, policy=policy).labels) == [0, 0]


def test_one_bridge_between_two_groups_is_not_enough_where_cohesion_is_asked() -> None:
    groups = [key(0, 1), key(0, 2), key(3, 4), key(4, 5)]
    policy = Policy([("*", "*", Terms(least_cohesion=0.3))])
    alone = clusters_of([*groups, model(2, 3)], policy=policy)
    assert list(alone.labels) == [0, 0, 0, 3, 3, 3]
    assert alone.blocked[0][1] == ("cohesion", "0.11 < 0.30")
    supported = clusters_of([*groups, model(2, 3)], support=[(0, 3), (5, 1)], policy=policy)
    assert set(supported.labels) == {0}


def test_records_that_are_alike_in_all_that_is_compared_count_as_one_for_cohesion() -> None:
    star = [model(0, number) for number in range(1, 50)]
    policy = Policy([("*", "*", Terms(least_cohesion=0.5))])
    alike = [Node("crm", face="same")] * 50
    assert set(clusters_of(star, alike, policy=policy).labels) == {0}
    bridged = clusters_of([*star, model(49, 50)], [*alike, Node("erp")], policy=policy)
    assert set(bridged.labels) == {0}
    assert len(set(clusters_of(star, 50, policy=policy).labels)) > 10


def test_a_link_between_records_that_met_in_another_way_is_not_reported_as_blocked() -> None:
    nodes = [Node("crm", ("NO-org:1",)), Node("erp", ("NO-org:2",)), Node("crm")]
    links = [Link(0, 1, "rule", "name", 0.99), Link(0, 2, "steward", None, 1), key(1, 2)]
    assert clusters_of(links, nodes).blocked == []


def test_a_policy_row_for_both_systems_outranks_one_for_either_and_one_for_any() -> None:
    policy = Policy(
        [
            ("*", "*", Terms(accept_above=0.1)),
            ("crm", "*", Terms(accept_above=0.2)),
            ("erp", "crm", Terms(accept_above=0.3, cardinality="many_to_one")),
        ]
    )
    assert policy.between("crm", "erp") == Terms(accept_above=0.3, cardinality="one_to_many")
    assert policy.between("erp", "crm").cardinality == "many_to_one"
    assert policy.between("other", "crm").accept_above == 0.2
    assert policy.between("other", "erp").accept_above == 0.1


METHODS = ("steward", "key", "rule", "model")
SYSTEMS = ("crm", "crm2", "erp")
numbers = st.integers(0, 9)
nodes = st.lists(
    st.builds(
        Node,
        st.sampled_from(SYSTEMS),
        st.lists(st.sampled_from(("NO:1", "NO:2", "SE:1", "SE:2")), max_size=2).map(tuple),
        st.booleans(),
    ),
    min_size=10,
    max_size=10,
)
links = st.lists(
    st.builds(
        Link, numbers, numbers, st.sampled_from(METHODS), st.just("rule"), st.sampled_from((0.9, 1))
    ),
    max_size=25,
)
policies = st.builds(
    lambda cardinality, cohesion: Policy(
        [
            ("crm", "erp", Terms(0.9, 0.5, cardinality)),
            ("*", "*", Terms(0.9, 0.5, least_cohesion=cohesion)),
        ]
    ),
    st.sampled_from(("one_to_one", "many_to_one", "many_to_many")),
    st.sampled_from((0.0, 0.5)),
)


@settings(max_examples=200, deadline=None)
@given(nodes, links, st.lists(st.tuples(numbers, numbers), max_size=4), policies, st.randoms())
def test_the_order_in_which_links_come_does_not_matter(
    nodes: list[Node],
    links: list[Link],
    apart: list[Pair],
    policy: Policy,
    chance: random.Random,
) -> None:
    found = clusters_of(links, nodes, apart=apart, policy=policy)
    chance.shuffle(links)
    chance.shuffle(apart)
    assert found == clusters_of(links, nodes, apart=apart, policy=policy)


@settings(max_examples=200, deadline=None)
@given(nodes, links, st.lists(st.tuples(numbers, numbers), max_size=4), policies)
def test_no_cluster_breaks_what_holds_records_apart(
    nodes: list[Node], links: list[Link], apart: list[Pair], policy: Policy
) -> None:
    labels = clusters_of(links, nodes, apart=apart, policy=policy).labels
    for left, right in apart:
        assert left == right or labels[left] != labels[right]
    if policy.between("crm", "erp").cardinality != "one_to_one" or any(
        link.method == "steward" for link in links
    ):
        return
    held: dict[int, list[str]] = defaultdict(list)
    for number, node in enumerate(nodes):
        if not node.is_merged:
            held[labels[number]].append(node.system)
    for systems in held.values():
        both = "crm" in systems and "erp" in systems
        assert not both or (systems.count("crm"), systems.count("erp")) == (1, 1)


def test_each_part_of_a_component_settles_alone_as_it_does_among_others() -> None:
    chance = random.Random(7)
    links = [model(*sorted(chance.sample(range(10), 2)), chance.random()) for _ in range(20)]
    others = [Link(link.left + 10, link.right + 10, *link[2:]) for link in links]
    apart = [(0, 5), (10, 15)]
    labels = list(clusters_of([*links, *others], 20, apart=apart).labels)
    assert labels[:10] == list(clusters_of(links, 10, apart=[(0, 5)]).labels)
    assert labels[10:] == [label + 10 for label in labels[:10]]


def test_5_000_records_that_are_all_alike_are_one_cluster() -> None:
    chance = random.Random(3)
    links = [model(node, chance.randrange(node)) for node in range(1, 5_000) for _ in range(8)]
    policy = Policy([("*", "*", Terms(least_cohesion=0.0001, cardinality="many_to_one"))])
    assert set(clusters_of(links, 5_000, policy=policy).labels) == {0}


def test_of_two_merged_ids_the_one_with_more_records_stays_and_of_equals_the_older() -> None:
    larger = Past(held={0: "C1", 1: "C2", 2: "C2"}, homes={0: ["C1"], 1: ["C2"], 2: ["C2"]})
    assert award([0, 0, 0], larger) == {0: "C2"}
    equal = Past(held={0: "C10", 1: "C9"}, homes={0: ["C10"], 1: ["C9"]})
    assert award([0, 0], equal) == {0: "C9"}


def test_an_id_goes_back_to_the_part_that_it_came_from() -> None:
    past = Past(held={0: "C2", 1: "C2"}, homes={0: ["C1"], 1: ["C2"]}, retired={"C1": 5})
    assert award([0, 1], past) == {0: "C1", 1: "C2"}
    joined_since = Past(
        held={0: "C2", 1: "C2", 2: "C2"},
        homes={0: ["C1"], 1: ["C2"], 2: ["C2"]},
        retired={"C1": 5},
    )
    assert award([0, 1, 0], joined_since) == {0: "C1", 1: "C2"}


def test_the_larger_part_keeps_an_id_that_is_at_home_in_both() -> None:
    homes = {node: ["C1"] for node in range(4)}
    homes[3] = ["C1", "C0"]
    held = dict.fromkeys(range(4), "C1")
    assert award([0, 1, 1, 1], Past(held, homes, {"C0": 1})) == {1: "C1"}


def test_an_id_out_of_use_is_not_taken_from_the_records_elsewhere_that_it_stands_for() -> None:
    past = Past(held={}, homes={0: ["C1"]}, retired={"C1": 5}, elsewhere={"C1": 2})
    assert award([0], past) == {}
    assert award([0], Past({}, {0: ["C1"]}, {"C1": 5})) == {0: "C1"}
