"""Connected components of the links between records, in memory that grows with the links only."""

from array import array
from collections.abc import Iterable, Iterator


class Components:
    """A union-find over nodes numbered from 0; a component is named by its smallest node."""

    def __init__(self, node_count: int) -> None:
        self._parents = array("q", range(node_count))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield every node with the name of its component."""
        for node in range(len(self._parents)):
            yield node, self._root(node)

    def join(self, edges: Iterable[tuple[int, int]]) -> None:
        """Put the two ends of every edge into one component."""
        for left, right in edges:
            one, other = sorted((self._root(left), self._root(right)))
            self._parents[other] = one

    def _root(self, node: int) -> int:
        parents = self._parents
        while parents[node] != node:
            # Halving the path keeps later look-ups short without recursion.
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node
