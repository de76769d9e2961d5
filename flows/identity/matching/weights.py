"""What each level of agreement says, read from a reviewed file."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.core.errors import MatchingError
from flows.core.settings import settings

if TYPE_CHECKING:
    from splink.internals.comparison_creator import ComparisonCreator
    from splink.internals.comparison_level_creator import ComparisonLevelCreator

PRIOR = ("prior", "two random records")


@dataclass(frozen=True)
class Weight:
    """How often a level is seen among matches and among random pairs."""

    match_probability: float
    random_probability: float
    term_frequency: str | None = None


@dataclass(frozen=True)
class Weights:
    """Every level's weight of one domain, and the file it came from."""

    domain: str
    path: Path
    levels: Mapping[tuple[str, str], Weight]
    prior: float

    def of(self, comparison: str, level: str) -> Weight:
        """Return one level's weight; raises MatchingError naming what the file lacks."""
        try:
            return self.levels[comparison, level]
        except KeyError:
            raise MatchingError(
                f"{self.path.name} has no row for level {level!r} of comparison {comparison!r} "
                f"of {self.domain}; add it."
            ) from None

    def comparison(
        self, name: str, levels: Sequence[tuple[str, "ComparisonLevelCreator"]]
    ) -> "ComparisonCreator":
        """Make one comparison of named levels, best first, weighted as the file says.

        A null level is one that is marked so; it weighs nothing and needs no row.
        """
        import splink.comparison_library as cl  # noqa: PLC0415 - slow, and only scoring needs it

        weighted: list[ComparisonLevelCreator | dict[str, Any]] = [
            self._weighted(name, label, level) for label, level in levels
        ]
        return cl.CustomComparison(output_column_name=name, comparison_levels=weighted)

    def _weighted(
        self, comparison: str, label: str, level: "ComparisonLevelCreator"
    ) -> "ComparisonLevelCreator":
        level.configure(label_for_charts=label)
        if level.is_null_level:
            return level
        weight = self.of(comparison, label)
        level.configure(
            m_probability=weight.match_probability, u_probability=weight.random_probability
        )
        if weight.term_frequency:
            level.configure(tf_adjustment_column=weight.term_frequency)
        return level

    @property
    def term_frequency_columns(self) -> tuple[str, ...]:
        """The columns whose frequencies weigh, in alphabetical order."""
        named = {weight.term_frequency for weight in self.levels.values()}
        return tuple(sorted(column for column in named if column))

    @property
    def signature(self) -> str:
        """A hash of everything the file says."""
        said = repr((self.prior, sorted(self.levels.items())))
        return hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()


def weights_file(domain: str) -> Path:
    """Return where the reviewed weights of a domain are."""
    return settings().dbt_project / "seeds" / "rules" / f"match_weights_{domain}.csv"


def read_weights(domain: str, path: Path | None = None) -> Weights:
    """Read a weights file; raises MatchingError that names the file, the line and what is wrong."""
    file = path or weights_file(domain)
    if not file.is_file():
        raise MatchingError(f"There are no match weights for {domain} at {file}; add the file.")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["domain"] == domain]
    levels = dict(_levels(file, rows))
    prior = levels.pop(PRIOR, None)
    if prior is None:
        raise MatchingError(f"{file.name} has no row {','.join((domain, *PRIOR))}; add it.")
    return Weights(domain, file, levels, prior.match_probability)


def _levels(
    file: Path, rows: Iterable[Mapping[str, str]]
) -> Iterable[tuple[tuple[str, str], Weight]]:
    for row in rows:
        named = row["comparison"], row["level"]
        yield (
            named,
            Weight(
                _probability(file, named, row["match_probability"]),
                _probability(file, named, row["random_probability"]),
                row.get("term_frequency") or None,
            ),
        )


def _probability(file: Path, named: tuple[str, str], text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise MatchingError(
            f"{file.name}: {text!r} is no probability above 0 and up to 1, "
            f"for level {named[1]!r} of comparison {named[0]!r}; correct it."
        )
    return value
