"""A waterfall as a picture that needs nothing else: plain SVG."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from flows.reconciliation.steps import Step, Waterfall

BAR, GAP, HEIGHT = 64, 26, 220
LEFT, TOP, BOTTOM = 24, 34, 52
COLOURS = {"total": "#3b5b7a", "less": "#b3472f", "more": "#3f7d4e"}
# A change of cents beside a total of millions must still be seen.
LEAST_PIXELS = 2.0


@dataclass(frozen=True)
class _Bar:
    """A step between two levels."""

    step: Step
    start: Decimal
    end: Decimal

    @property
    def colour(self) -> str:
        if self.step.is_total:
            return COLOURS["total"]
        return COLOURS["more" if self.step.amount > 0 else "less"]


def draw(waterfall: Waterfall) -> str:
    """Return the waterfall as SVG; the axis is cut where the totals hide the steps."""
    bars = list(_bars(waterfall))
    lowest, highest = _scale(bars)
    width = 2 * LEFT + len(bars) * (BAR + GAP)
    height = TOP + HEIGHT + BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    )
    parts = [head, f"<title>{escape(waterfall.title)}</title>"]
    for place, bar in enumerate(bars):
        parts.extend(_drawn(place, bar, lowest, highest))
    if lowest > 0:
        parts.append(
            f'<text x="{LEFT}" y="{height - 4}" fill="#777" font-size="10">'
            f"The axis begins at {amount(lowest)}.</text>"
        )
    return "".join([*parts, "</svg>"])


def amount(value: Decimal) -> str:
    """Return an amount as people read it, to the cent."""
    return f"{value:,.2f}"


def _bars(waterfall: Waterfall) -> Iterator[_Bar]:
    level = Decimal(0)
    for step in waterfall.steps:
        if step.is_total:
            level = step.amount
            yield _Bar(step, Decimal(0), level)
        elif step.amount != 0:
            yield _Bar(step, level, level + step.amount)
            level += step.amount


def _scale(bars: list[_Bar]) -> tuple[Decimal, Decimal]:
    """Return the ends of the axis, which begins at nothing unless that hides the steps."""
    levels = [bar.end for bar in bars] + [bar.start for bar in bars if not bar.step.is_total]
    low, high = min(levels, default=Decimal(0)), max(levels, default=Decimal(0))
    spread = high - low
    if low > 0 and 0 < spread < high / 2:
        return low - spread / 2, high
    return min(low, Decimal(0)), max(high, Decimal(0))


def _drawn(place: int, bar: _Bar, lowest: Decimal, highest: Decimal) -> Iterator[str]:
    x = LEFT + place * (BAR + GAP)
    start = lowest if bar.step.is_total and lowest > 0 else bar.start
    tops = sorted((_pixel(start, lowest, highest), _pixel(bar.end, lowest, highest)))
    height = max(tops[1] - tops[0], LEAST_PIXELS)
    middle = x + BAR / 2
    yield (
        f'<rect x="{x}" y="{tops[0]:.1f}" width="{BAR}" height="{height:.1f}" '
        f'fill="{bar.colour}"><title>{escape(bar.step.words)}: {amount(bar.step.amount)} '
        f"({bar.step.documents})</title></rect>"
    )
    yield _text(middle, tops[0] - 6, amount(bar.step.amount), 10)
    for line, word in enumerate(_words(bar.step.words)):
        yield _text(middle, TOP + HEIGHT + 16 + 13 * line, word, 12)


def _words(words: str) -> list[str]:
    first, _, rest = words.partition(" ")
    return [first, rest] if rest else [first]


def _text(x: float, y: float, words: str, size: int) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="{size}">'
        f"{escape(words)}</text>"
    )


def _pixel(level: Decimal, lowest: Decimal, highest: Decimal) -> float:
    if highest == lowest:
        return float(TOP + HEIGHT)
    return TOP + HEIGHT * (1 - float((level - lowest) / (highest - lowest)))
