"""Where the marks of plots stand, in per cent of their width: the page draws them as SVG that grows with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.campaign.report.figures import Group, Use

HEIGHT: Final = 160
"""Of the plot over time, in CSS pixels."""
_GAP: Final = 0.15
"""Part of a column's place that stays free."""


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a column: tries of an outcome."""

    outcome: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Columns:
    """Tries over time, stacked by outcome. `most` is the highest column."""

    blocks: tuple[Block, ...]
    most: int
    height: int


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale in US dollars from `low` to `high`."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return a value's place from 0 to 100."""
        return scaled(value - self.low, self.high - self.low)


def scaled(value: float, most: float) -> float:
    """Return the length of a bar, 0 to 100; what is there at all stays visible."""
    return round(max(0.4, min(100.0, 100 * value / most)), 2) if value > 0 and most > 0 else 0.0


def columns(use: Use, outcomes: Sequence[str]) -> Columns:
    """Return the plot of tries over time."""
    most = max((sum(minute.tries.values()) for minute in use.minutes), default=0)
    blocks: list[Block] = []
    place = 100 / len(use.minutes) if use.minutes else 100.0
    for number, minute in enumerate(use.minutes):
        top = float(HEIGHT)
        for outcome in outcomes:
            if tries := minute.tries.get(outcome, 0):
                height = HEIGHT * tries / most
                top -= height
                x, width = place * (number + _GAP / 2), place * (1 - _GAP)
                blocks.append(Block(outcome, round(x, 3), round(top, 2), round(width, 3), round(height, 2)))
    return Columns(tuple(blocks), most, HEIGHT)


def usd_scale(groups: Sequence[Group]) -> Scale:
    """Return the scale that holds all groups' intervals, with some room at both ends."""
    lows = [g.value_low if g.value_low is not None else g.value_usd for g in groups if g.value_usd is not None]
    highs = [g.value_high if g.value_high is not None else g.value_usd for g in groups if g.value_usd is not None]
    if not lows:
        return Scale(0.0, 1.0)
    low, high = min(filter(_known, lows)), max(filter(_known, highs))
    room = (high - low) * 0.1 or max(abs(high) * 0.1, 0.1)
    return Scale(max(0.0, low - room), high + room)


def _known(value: float | None) -> bool:
    return value is not None
