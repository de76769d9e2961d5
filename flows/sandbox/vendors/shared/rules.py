"""What a server keeps from its readers, by permission or by a fault of its own."""

from dataclasses import dataclass, field


@dataclass
class Rules:
    """Which rows and how many of them a reader gets to see.

    Hidden rows are not there for this user, neither in lists nor by id. Withheld rows are a
    fault of the server: counted and found by id, but left out where whole rows are listed.
    """

    hidden_rows: set[tuple[str, str]] = field(default_factory=set)
    withheld_rows: set[tuple[str, str]] = field(default_factory=set)
    result_cap: int | None = None
    repeated_rows: int = 0
    is_page_stuck: bool = False
    page_size: int | None = None
    is_compressing: bool = False
    is_header_on_every_page: bool = True

    def hides(self, table: str, key: str) -> bool:
        """Say whether this user may not see a row."""
        return (table, key) in self.hidden_rows

    def withholds(self, table: str, key: str) -> bool:
        """Say whether the server forgets a row when it lists rows."""
        return (table, key) in self.withheld_rows
