"""Put linked records into clusters, strongest links first, without breaking a constraint."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from flows.identity.constraints import (
    Cardinality,
    Clashes,
    Cohesion,
    Constraint,
    KeepApart,
    KeyClashes,
    Link,
    Node,
    Pair,
    Refusal,
)
from flows.identity.policies import Policy


@dataclass(frozen=True)
class Evidence:
    """Everything that clusters depend on; the order it is given in does not matter.

    `clashes` are pairs that share a key and are clearly two, `support` pairs that are possible,
    though not certain enough to link.
    """

    records: Sequence[str]
    nodes: Sequence[Node]
    links: Iterable[Link]
    apart: Iterable[Pair] = ()
    clashes: Iterable[Pair] = ()
    support: Iterable[Pair] = ()
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class Clusters:
    """The cluster of every node, the strongest link of each, and the links that were not made."""

    labels: Sequence[int]
    strongest: dict[int, Link]
    blocked: list[tuple[Link, Refusal]]


class Sets:
    """A union-find over nodes numbered from 0."""

    def __init__(self, count: int) -> None:
        self._parents = array("q", range(count))
        self._sizes = array("q", [1]) * count

    def root(self, node: int) -> int:
        """Return the node that stands for the set."""
        parents = self._parents
        while parents[node] != node:
            # Halving the path keeps later look-ups short without recursion.
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    def join(self, one: int, other: int) -> tuple[int, int]:
        """Make two roots one, and return the root that stays and the one that is gone."""
        root, gone = (one, other) if self._sizes[one] >= self._sizes[other] else (other, one)
        self._parents[gone] = root
        self._sizes[root] += self._sizes[gone]
        return root, gone

    def labels(self) -> "array[int]":
        """Name every set by its smallest node."""
        names = array("q", [-1]) * len(self._parents)
        labels = array("q", self._parents)
        for node in range(len(labels)):
            root = self.root(node)
            if names[root] < 0:
                names[root] = node
            labels[node] = names[root]
        return labels


def cluster(evidence: Evidence) -> Clusters:
    """Join along the links, strongest first; one that breaks a constraint is not made.

    The result depends on the set of links alone, so it is the same whenever they became known.
    """
    links = sorted((link for link in evidence.links if link.left != link.right), key=_order)
    constraints = _constraints(evidence, links)
    sets = Sets(len(evidence.nodes))
    refused: list[tuple[Link, Refusal]] = []
    for link in links:
        one, other = sets.root(link.left), sets.root(link.right)
        if one == other:
            continue
        if refusal := _refusal(constraints, link, one, other):
            refused.append((link, refusal))
            continue
        root, gone = sets.join(one, other)
        for constraint in constraints:
            constraint.join(root, gone)
    labels = sets.labels()
    return Clusters(labels, _strongest(links, labels), _still_apart(refused, labels))


def _order(link: Link) -> tuple[int, float, int, int, str]:
    return link.order


def _constraints(evidence: Evidence, links: Sequence[Link]) -> list[Constraint]:
    """Return the constraints that can hold at all; most data needs few of them."""
    constraints: list[Constraint] = []
    if apart := list(evidence.apart):
        constraints.append(KeepApart(apart, evidence.records))
    if clashes := list(evidence.clashes):
        constraints.append(KeyClashes(clashes, evidence.records))
    if evidence.policy.limits_counts:
        constraints.append(Cardinality(evidence.nodes, evidence.policy))
    if any(node.conflict_keys for node in evidence.nodes):
        constraints.append(Clashes(evidence.nodes))
    if evidence.policy.asks_for_cohesion:
        linked = ((link.left, link.right) for link in links)
        support = (_sorted(pair) for pair in chain(linked, evidence.support))
        constraints.append(Cohesion(evidence.nodes, support, evidence.policy))
    return constraints


def _sorted(pair: Pair) -> Pair:
    return pair if pair[0] <= pair[1] else (pair[1], pair[0])


def _refusal(constraints: list[Constraint], link: Link, one: int, other: int) -> Refusal | None:
    for constraint in constraints:
        if link.method in constraint.methods:
            refusal = constraint.refusal(link, one, other)
            if refusal:
                return refusal
    return None


def _strongest(links: Sequence[Link], labels: Sequence[int]) -> dict[int, Link]:
    strongest: dict[int, Link] = {}
    for link in links:
        if labels[link.left] == labels[link.right]:
            strongest.setdefault(link.left, link)
            strongest.setdefault(link.right, link)
    return strongest


def _still_apart(
    refused: list[tuple[Link, Refusal]], labels: Sequence[int]
) -> list[tuple[Link, Refusal]]:
    """Drop links whose ends met in another way, and all but the strongest of a pair."""
    blocked: dict[Pair, tuple[Link, Refusal]] = {}
    for link, refusal in refused:
        if labels[link.left] != labels[link.right]:
            blocked.setdefault(_sorted((link.left, link.right)), (link, refusal))
    return list(blocked.values())
