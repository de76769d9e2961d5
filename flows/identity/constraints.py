"""What two clusters must not have for a link to make them one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from flows.identity.policies import Policy

STRENGTH = {"steward": 0, "key": 1, "rule": 2, "model": 3}
Pair = tuple[int, int]


class Node(NamedTuple):
    """What decides whether a record may share an id; nodes are numbered by record text.

    Nodes of one `face` are alike in all that the model compares; without one a node is unique.
    """

    system: str
    conflict_keys: tuple[str, ...] = ()
    is_merged: bool = False
    face: str = ""


class Link(NamedTuple):
    """A reason why two nodes are the same."""

    left: int
    right: int
    method: str
    rule: str | None
    probability: float

    @property
    def order(self) -> tuple[int, float, int, int, str]:
        """Strongest first: people, keys, rules, the model by probability; then by the records."""
        strength = STRENGTH[self.method]
        return (strength, -self.probability, self.left, self.right, self.rule or "")


class Refusal(NamedTuple):
    """Why a link was not made."""

    reason: str
    blocked_by: str


class Constraint(Protocol):
    """Knows clusters by their roots, and says when two of them must not become one."""

    methods: frozenset[str]

    def refusal(self, link: Link, one: int, other: int, /) -> Refusal | None:
        """Say why the clusters of two roots must stay apart, if they must."""

    def join(self, root: int, gone: int) -> None:
        """Take note that `gone` is part of `root` now."""


class KeepApart:
    """Two records that are ruled different are never in one cluster, whatever links them."""

    methods = frozenset(STRENGTH)
    reason = "keep_apart"

    def __init__(self, pairs: Iterable[Pair], records: Sequence[str]) -> None:
        self._records = records
        # Of each cluster: the pairs that have one end in it, by their other end's cluster.
        self._walls: dict[int, dict[int, Pair]] = defaultdict(dict)
        for left, right in sorted(pairs):
            if left != right:
                self._walls[left][right] = self._walls[right][left] = (left, right)

    def refusal(self, _link: Link, one: int, other: int, /) -> Refusal | None:
        """Refuse when a pair that is kept apart has one end in each."""
        pair = self._walls.get(one, {}).get(other)
        if pair is None:
            return None
        return Refusal(self.reason, " / ".join(self._records[node] for node in pair))

    def join(self, root: int, gone: int) -> None:
        """Let the walls around `gone` stand around `root`."""
        for neighbour, pair in self._walls.pop(gone, {}).items():
            around = self._walls[neighbour]
            del around[gone]
            if neighbour != root:  # else what may break the wall has broken it
                first = min(pair, around.get(root, pair))
                around[root] = self._walls[root][neighbour] = first


class KeyClashes(KeepApart):
    """What shares a key and is clearly two is one by another key or a person's word only."""

    methods = frozenset({"rule", "model"})
    reason = "key_clash"


class Cardinality:
    """No more records of one system in a cluster than the policy allows beside another's."""

    methods = frozenset({"key", "rule", "model"})

    def __init__(self, nodes: Sequence[Node], policy: Policy) -> None:
        self._policy = policy
        # A record merged away in its own system is history of another and does not count.
        self._counts = {
            number: Counter({node.system: 1})
            for number, node in enumerate(nodes)
            if not node.is_merged
        }

    def refusal(self, _link: Link, one: int, other: int, /) -> Refusal | None:
        """Refuse when together they hold too many records of a system."""
        ones, others = self._counts.get(one), self._counts.get(other)
        if not ones or not others:
            return None
        for left in sorted(ones):
            for right in sorted(others):
                if self._is_too_many(left, right, ones + others):
                    return Refusal("cardinality", f"{left} / {right}")
        return None

    def join(self, root: int, gone: int) -> None:
        """Add the counts up."""
        if counts := self._counts.pop(gone, None):
            self._counts.setdefault(root, Counter()).update(counts)

    def _is_too_many(self, left: str, right: str, counts: Counter[str]) -> bool:
        cardinality = self._policy.between(left, right).cardinality
        one_left = cardinality in {"one_to_one", "one_to_many"}
        one_right = cardinality in {"one_to_one", "many_to_one"}
        if left == right:
            return cardinality == "one_to_one"
        return (one_left and counts[left] > 1) or (one_right and counts[right] > 1)


class Clashes:
    """Valid numbers of one register that differ speak against all but keys and people."""

    methods = frozenset({"rule", "model"})

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._values: dict[int, dict[str, set[str]]] = {}
        for number, node in enumerate(nodes):
            for key in node.conflict_keys:
                register, _, value = key.partition(":")
                values = self._values.setdefault(number, {})
                values.setdefault(register, set()).add(value)

    def refusal(self, _link: Link, one: int, other: int, /) -> Refusal | None:
        """Refuse when both hold numbers of a register and none in common."""
        ones, others = self._values.get(one), self._values.get(other)
        if not ones or not others:
            return None
        for register in sorted(ones.keys() & others.keys()):
            if ones[register].isdisjoint(others[register]):
                differing = " / ".join(min(values[register]) for values in (ones, others))
                return Refusal("clash", f"{register} {differing}")
        return None

    def join(self, root: int, gone: int) -> None:
        """Put the numbers together."""
        for register, values in self._values.pop(gone, {}).items():
            self._values.setdefault(root, {}).setdefault(register, set()).update(values)


class Cohesion:
    """A model link joins clusters only when enough of the pairs between them are possible too.

    Records that are alike in all that is compared count as one: their pairs are not all made.
    """

    methods = frozenset({"model"})

    def __init__(self, nodes: Sequence[Node], support: Iterable[Pair], policy: Policy) -> None:
        self._nodes, self._policy = nodes, policy
        names: dict[str, int] = {}
        self._faces = [
            names.setdefault(node.face or f"node {number}", number)
            for number, node in enumerate(nodes)
        ]
        self._neighbours: dict[int, set[int]] = defaultdict(set)
        for left, right in support:
            one, other = self._faces[left], self._faces[right]
            self._neighbours[one].add(other)
            self._neighbours[other].add(one)
        self._members: dict[int, set[int]] = {}
        self._shares: dict[tuple[int, int], tuple[tuple[int, int], float]] = {}

    def refusal(self, link: Link, one: int, other: int, /) -> Refusal | None:
        """Refuse when the share of supported pairs is lower than the policy asks."""
        systems = self._nodes[link.left].system, self._nodes[link.right].system
        least = self._policy.between(*systems).least_cohesion
        share = self._share(one, other) if least > 0 else 1.0
        return None if share >= least else Refusal("cohesion", f"{share:.2f} < {least:.2f}")

    def join(self, root: int, gone: int) -> None:
        """Put the members together."""
        members = self._members.setdefault(root, {self._faces[root]})
        members |= self._of(gone)
        self._members.pop(gone, None)

    def _of(self, root: int) -> set[int]:
        return self._members.get(root) or {self._faces[root]}

    def _share(self, one: int, other: int) -> float:
        small, large = sorted((self._of(one), self._of(other)), key=len)
        sizes = (len(small), len(large))
        known = self._shares.get((one, other))
        # Clusters only grow, so while their sizes are the same, so are they.
        if known and known[0] == sizes:
            return known[1]
        found = sum(len((self._neighbours[face] | {face}) & large) for face in small)
        share = found / (sizes[0] * sizes[1])
        self._shares[one, other] = (sizes, share)
        return share
