"""Whatever is merged, taken apart, added and removed: an id once published resolves for ever."""

import random
from itertools import pairwise

import pytest

from flows.identity import assignment
from tests.integration.linked import Linked

OPERATIONS = 1_000


@pytest.fixture
def customers(warehouse: str) -> Linked:
    return Linked()


def states(linked: Linked) -> dict[str, tuple[str | None, str]]:
    found = linked.query("select * from identity.resolve_customer")
    return {held_id: (current, state) for held_id, current, state in found}


def assert_every_id_resolves(linked: Linked, seen: set[str]) -> None:
    """Every id that was ever held stands for itself, for one in use, or for nobody, and says so."""
    in_use = set(linked.ids().values())
    found = states(linked)
    assert seen <= found.keys()
    for held_id, (current, state) in found.items():
        expected = "current" if held_id in in_use else "retired" if current is None else "merged"
        assert state == expected
        assert current is None or current in in_use
        assert (current == held_id) == (held_id in in_use)


def assert_records_hold_what_their_ids_resolve_to(linked: Linked) -> None:
    """An id without records follows the records that it was last given to."""
    homes = linked.query(
        "select home.id, home.record, held.customer_id from identity.homes as home "
        "inner join identity.customer_crosswalk as held on home.record = "
        "held.source_system || '|' || held.entity || '|' || held.source_key and held.is_current"
    )
    current = states(linked)
    holders: dict[str, set[str]] = {}
    for home, _, held in homes:
        holders.setdefault(home, set()).add(held)
    for home, held_ids in holders.items():
        assert current[home][0] in held_ids


class Story:
    """Random operations on a few records, remembered so that merges can be undone."""

    def __init__(self, linked: Linked, seed: int) -> None:
        self.linked = linked
        self.random = random.Random(seed)
        self.keys = [f"a{number}" for number in range(20)] + [f"erp:c{n}" for n in range(10)]
        self.alive: set[str] = set()
        self.links: set[tuple[str, str]] = set()
        self.seen: set[str] = set()
        self.undone = 0

    def step(self) -> int:
        """Do some operations in one run, or one merge that is taken back; return how many."""
        if self.random.random() < 0.25 and (undone := self.merge_and_undo()):
            return undone
        count = self.random.randrange(1, 25)
        for _ in range(count):
            self.random.choice([self.insert, self.insert, self.delete, self.merge, self.unmerge])()
        self.settle()
        return count

    def settle(self) -> None:
        """Bring the ids in line and note all that are seen."""
        self.linked.assign()
        self.seen |= set(self.linked.ids().values())

    def insert(self) -> None:
        """Add a record, or one back that was deleted."""
        if missing := sorted(set(self.keys) - self.alive):
            key = self.random.choice(missing)
            self.linked.add(key)
            self.alive.add(key)

    def delete(self) -> None:
        """Take a record away and leave its links dangling."""
        if self.alive:
            key = self.random.choice(sorted(self.alive))
            self.linked.remove(key)
            self.alive.remove(key)

    def merge(self) -> None:
        """Link two records."""
        if len(self.alive) > 1:
            left, right = sorted(self.random.sample(sorted(self.alive), 2))
            if (left, right) not in self.links:
                self.linked.link(left, right)
                self.links.add((left, right))

    def unmerge(self) -> None:
        """Take a link away."""
        if self.links:
            pair = self.random.choice(sorted(self.links))
            self.linked.unlink(*pair)
            self.links.remove(pair)

    def merge_and_undo(self) -> int:
        """Let people merge customers and take it back: the crosswalk is as it was."""
        groups = sorted(sorted(group) for group in self.linked.groups())
        if len(groups) < 2:
            return 0
        chosen = self.random.sample(groups, self.random.randrange(2, min(4, len(groups)) + 1))
        pairs = [(left[0], right[-1]) for left, right in pairwise(chosen)]
        before, ids_before = self.linked.crosswalk(), states(self.linked)
        for pair in pairs:
            self.linked.rule(*pair, "same")
        changes = self.linked.assign()
        assert changes.merged == len(pairs)
        assert len({self.linked.ids()[key] for group in chosen for key in group}) == 1
        assert_every_id_resolves(self.linked, self.seen)
        for pair in pairs:
            self.linked.rule(*pair, "unsure")
        assert self.linked.assign().restored == len(pairs)
        assert self.linked.crosswalk() == before
        assert states(self.linked) == ids_before
        self.undone += 1
        return 2 * len(pairs)


def test_1_000_operations_leave_no_id_dangling_and_every_merge_can_be_undone(
    customers: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few records are mostly changed ones; still only what is connected with them is looked at.
    monkeypatch.setattr(assignment, "LARGE_SHARE", 2.0)
    story = Story(customers, seed=20261123)
    done = 0
    while done < OPERATIONS:
        done += story.step()
        assert_every_id_resolves(customers, story.seen)
        assert_records_hold_what_their_ids_resolve_to(customers)
    assert len(story.seen) > 30
    assert story.undone > 10
    happened = {event for event, *_ in customers.events()}
    assert happened == {"created", "merged", "split", "restored", "retired"}
