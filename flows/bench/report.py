"""A measured figure beside the limit it is held to."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measurement; `limit` is what it must not fall below (at_least) or exceed (at_most)."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    is_floor: bool = False
    detail: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the limit is kept; None when the figure has none."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def as_dict(self) -> dict[str, Any]:
        """Return the figure with its judgement."""
        return asdict(self) | {"is_met": self.is_met}


def table(figures: list[Figure]) -> str:
    """Render figures as aligned lines."""
    return "\n".join(_line(figure) for figure in figures)


def _line(figure: Figure) -> str:
    judgement = {None: "", True: "met", False: "MISSED"}[figure.is_met]
    limit = ""
    if figure.limit is not None:
        limit = f"{'at least' if figure.is_floor else 'at most'} {figure.limit:g} {figure.unit}"
    value = f"{figure.value:,.2f} {figure.unit}"
    return f"  {figure.name:<44} {value:>16}   {limit:<20} {judgement:<7} {figure.detail}".rstrip()
