"""Which cluster gets which id: what is published stays with the records it was published for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Past:
    """What is known of the ids of some records, nodes numbered as in their clusters.

    `held` is the id a node has now, `homes` are the ids it came with. `retired` orders the ids
    that are not in use, the last retired one highest; `elsewhere` counts the other records that
    are at home in such an id.
    """

    held: Mapping[int, str]
    homes: Mapping[int, Sequence[str]]
    retired: Mapping[str, int] = field(default_factory=dict)
    elsewhere: Mapping[str, int] = field(default_factory=dict)


def age(held_id: str) -> tuple[int, str]:
    """Order ids by when they were given out."""
    return (len(held_id), held_id)


def award(labels: Sequence[int], past: Past) -> dict[int, str]:
    """Give clusters the ids that are theirs already; those left out need new ones.

    An id stays with the cluster that holds most of its records; one that falls apart goes to the
    part that is its home and has no other. Then clusters take back ids retired before.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for node in sorted({*past.held, *past.homes}):
        members[labels[node]].append(node)
    awards: dict[int, str] = {}
    given: set[str] = set()
    held = sorted(_claims(members, past))
    former = sorted(_former_claims(members, past))
    for claims in (held, former):
        for *_, cluster, claimed in claims:
            if cluster not in awards and claimed not in given:
                awards[cluster] = claimed
                given.add(claimed)
    return awards


Claim = tuple[bool, bool, int, tuple[int, str], int, str]


def _claims(members: Mapping[int, list[int]], past: Past) -> Iterator[Claim]:
    for cluster, nodes in members.items():
        holders = Counter(past.held[node] for node in nodes if node in past.held)
        homes = _homes(nodes, past)
        other_home = max((homes[one] for one in homes if one in past.retired), default=0)
        for claimed, count in holders.items():
            has_another = other_home >= max(homes[claimed], 1)
            yield (not homes[claimed], has_another, -count, age(claimed), cluster, claimed)


def _former_claims(
    members: Mapping[int, list[int]], past: Past
) -> Iterator[tuple[int, int, int, str]]:
    for cluster, nodes in members.items():
        for claimed, count in _homes(nodes, past).items():
            if claimed in past.retired and count >= past.elsewhere.get(claimed, 0):
                yield (-past.retired[claimed], -count, cluster, claimed)


def _homes(nodes: Iterable[int], past: Past) -> Counter[str]:
    return Counter(home for node in nodes for home in past.homes.get(node, ()))
