"""Ids settled step by step put the same records together as ids settled once from the end."""

import random
from typing import Any

import pytest

from flows.core.warehouse import connect
from flows.identity import assignment
from flows.identity.clusters import Evidence, cluster
from flows.identity.constraints import Link, Node, Pair
from flows.identity.policies import Policy, Terms
from tests.integration.linked import Linked

STEPS = 12
POLICY = [
    ("crm", "erp", Terms(0.9, 0.5, "many_to_one")),
    ("shop", "*", Terms(0.95, 0.4, "one_to_one", 0.4)),
    ("*", "*", Terms(0.95, 0.5, "many_to_many", 0.2)),
]
FORGET = """
truncate identity.customer_crosswalk, identity.customer_ids, identity.homes, identity.used_links,
    identity.used_records, identity.assignments, identity.blocked_links
"""


class Stream:
    """Random changes to records, links, scores and rulings, kept here as the truth."""

    def __init__(self, linked: Linked, seed: int) -> None:
        self.linked = linked
        self.random = random.Random(seed)
        self.keys = [f"{s}:{n}" for s in ("crm", "erp", "shop") for n in range(7)]
        self.records: dict[str, Node] = {}
        self.links: dict[Pair, Link] = {}
        self.scores: dict[Pair, float] = {}
        self.rulings: dict[Pair, str] = {}
        self.clashes: set[Pair] = set()
        for left, right, terms in POLICY:
            linked.policy(left, right, **vars(terms))

    def change(self) -> None:
        """Make one random change."""
        self.random.choice(
            [
                *[self.put, self.put, self.put, self.remove, self.link, self.link],
                *[self.unlink, self.score, self.score, self.score, self.rule, self.clash],
            ]
        )()

    def put(self) -> None:
        """Add a record, or change its numbers."""
        key = self.random.choice(self.keys)
        numbers = self.random.sample(
            ["NO:1", "NO:2", "SE:1"], self.random.choice([0, 0, 0, 0, 1, 2])
        )
        is_merged = self.random.random() < 0.1
        self.linked.add(key, conflict_keys=numbers, merged_into="x" if is_merged else None)
        self.records[key] = Node(key.split(":")[0], tuple(numbers), is_merged)

    def remove(self) -> None:
        """Take a record away; its links and rulings stay behind."""
        if self.records:
            key = self.random.choice(sorted(self.records))
            self.linked.remove(key)
            del self.records[key]

    def link(self) -> None:
        """Link two records by a key or a rule."""
        left, right = pair = self.pair()
        if pair in self.links:
            return self.unlink(pair)
        method, sure = self.random.choice([("key", 1.0), ("rule", 0.99)])
        self.linked.link(self.keys[left], self.keys[right], method=method, rule="name", sure=sure)
        self.links[pair] = Link(left, right, method, "name", sure)
        return None

    def unlink(self, pair: Pair | None = None) -> None:
        """Take a link away."""
        if self.links:
            left, right = pair or self.random.choice(sorted(self.links))
            self.linked.unlink(self.keys[left], self.keys[right])
            del self.links[left, right]

    def score(self) -> None:
        """Let the model change its mind about a pair."""
        left, right = pair = self.pair()
        if self.random.random() < 0.3 and self.scores:
            pair = left, right = self.random.choice(sorted(self.scores))
            self.linked.forget_score(self.keys[left], self.keys[right])
            del self.scores[pair]
            return
        self.scores[pair] = self.random.choice([0.45, 0.6, 0.92, 0.97, 0.99])
        self.linked.score(self.keys[left], self.keys[right], self.scores[pair])

    def rule(self) -> None:
        """Let a person rule about a pair, or take the ruling back."""
        left, right = pair = self.pair()
        self.rulings[pair] = self.random.choice(["same", "different", "unsure"])
        self.linked.rule(self.keys[left], self.keys[right], self.rulings[pair])

    def clash(self) -> None:
        """Let two records share a key and nothing else, or no longer so."""
        left, right = pair = self.pair()
        change = self.linked.settle_clash if pair in self.clashes else self.linked.clash
        change(self.keys[left], self.keys[right])
        self.clashes ^= {pair}

    def pair(self) -> Pair:
        """Return two different records, the one that sorts first first."""
        left, right = sorted(self.random.sample(range(len(self.keys)), 2))
        return left, right

    def expected(self) -> set[frozenset[str]]:
        """Cluster everything that holds now, without a warehouse."""
        present = [number for number, key in enumerate(self.keys) if key in self.records]
        places = {number: place for place, number in enumerate(present)}
        policy = Policy(POLICY)
        links = [*self.links.values()]
        support: list[Pair] = []
        for (left, right), probability in self.scores.items():
            terms = policy.between(self.keys[left][:4].strip(":"), self.keys[right][:4].strip(":"))
            if probability >= terms.accept_above:
                links.append(Link(left, right, "model", "splink", probability))
            elif probability >= terms.review_above:
                support.append((left, right))
        links += [
            Link(*pair, "steward", "", 1) for pair, one in self.rulings.items() if one == "same"
        ]
        apart = [pair for pair, one in self.rulings.items() if one == "different"]
        found = cluster(
            Evidence(
                [self.keys[number] for number in present],
                [self.records[self.keys[number]] for number in present],
                [
                    Link(places[one.left], places[one.right], *one[2:])
                    for one in links
                    if one.left in places and one.right in places
                ],
                [(places[a], places[b]) for a, b in apart if a in places and b in places],
                [(places[a], places[b]) for a, b in self.clashes if a in places and b in places],
                [(places[a], places[b]) for a, b in support if a in places and b in places],
                policy,
            )
        )
        groups: dict[int, set[str]] = {}
        for place, label in enumerate(found.labels):
            groups.setdefault(label, set()).add(self.keys[present[place]])
        return {frozenset(group) for group in groups.values()}


def settled(linked: Linked) -> tuple[Any, ...]:
    """Return all that was settled, but for how ids are called and when rows were written."""
    held = linked.query(
        "select source_system, source_key, method, rule, probability "
        "from identity.customer_crosswalk where is_current order by 1, 2"
    )
    blocked = linked.query(
        "select left_record, right_record, method, rule, probability, reason, blocked_by "
        "from identity.blocked_links order by 1, 2"
    )
    return groups(linked), held, blocked


def groups(linked: Linked) -> set[frozenset[str]]:
    found = linked.groups()
    return {frozenset(k if ":" in k else f"crm:{k}" for k in group) for group in found}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("warehouse")
def test_random_changes_settle_as_everything_does_at_once(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few records are mostly changed ones; still only what is connected with them is looked at.
    monkeypatch.setattr(assignment, "LARGE_SHARE", 2.0)
    linked = Linked()
    stream = Stream(linked, seed)
    largest = 0
    for _ in range(STEPS):
        for _ in range(stream.random.randrange(1, 30)):
            stream.change()
        linked.assign()
        found = groups(linked)
        assert found == stream.expected()
        largest = max([largest, *map(len, found)])
    assert largest > 2
    assert linked.assign().affected_records == 0
    grown = settled(linked)
    with connect() as connection:
        connection.execute(FORGET)
    linked.assign()
    assert settled(linked) == grown


@pytest.mark.usefixtures("warehouse")
def test_a_change_affects_only_what_it_is_connected_with() -> None:
    linked = Linked()
    linked.add(*(f"a{number:03}" for number in range(200)))
    for number in range(0, 200, 4):
        linked.link(f"a{number:03}", f"a{number + 1:03}")
        linked.link(f"a{number + 1:03}", f"a{number + 2:03}")
    linked.assign()
    linked.unlink("a004", "a005")
    changes = linked.assign()
    assert (changes.affected_records, changes.changed_records) == (3, 1)
    assert linked.assign().affected_records == 0
