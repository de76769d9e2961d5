"""What a query is made of."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where something stands in the text of a query."""

    position: int
    row: int
    column: int


@dataclass(frozen=True)
class Path:
    """A field, perhaps of a parent: Account.Owner.Name."""

    names: tuple[str, ...]
    place: Place
    function: str | None = None
    alias: str | None = None

    @property
    def text(self) -> str:
        """The path as it is written."""
        path = ".".join(self.names)
        return f"{self.function}({path})" if self.function else path


@dataclass(frozen=True)
class Literal:
    """A value: string, number, date, datetime, boolean, null, currency or a date by name."""

    kind: str
    value: str
    place: Place


@dataclass(frozen=True)
class Aggregate:
    """COUNT() and its kin."""

    function: str
    path: Path | None
    alias: str | None


@dataclass(frozen=True)
class FieldSet:
    """FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    kind: str


@dataclass(frozen=True)
class Comparison:
    """A field, an operator and a value."""

    path: Path
    operator: str
    value: Literal


@dataclass(frozen=True)
class Membership:
    """A field that must be in a list, or among what another query finds."""

    path: Path
    operator: str
    values: "tuple[Literal, ...] | Query"


@dataclass(frozen=True)
class Not:
    """The contrary."""

    condition: "Condition"


@dataclass(frozen=True)
class Both:
    """Two conditions joined by AND or OR."""

    operator: str
    left: "Condition"
    right: "Condition"


Condition = Comparison | Membership | Not | Both


@dataclass(frozen=True)
class Ordering:
    """One field to sort by."""

    path: Path
    is_descending: bool
    nulls_last: bool


@dataclass
class Query:
    """A whole query."""

    select: "list[Path | Aggregate | FieldSet | Query]"
    entity: str
    place: Place
    where: Condition | None = None
    group_by: list[Path] = field(default_factory=list)
    order_by: list[Ordering] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
    is_all_rows: bool = False

    @property
    def is_count(self) -> bool:
        """Whether it is SELECT COUNT() and nothing else."""
        return len(self.select) == 1 and self.select[0] == Aggregate("COUNT", None, None)

    @property
    def has_aggregates(self) -> bool:
        """Whether the answer is made of sums and counts."""
        return bool(self.group_by) or any(isinstance(item, Aggregate) for item in self.select)
