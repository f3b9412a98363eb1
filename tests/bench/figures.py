"""Figures of a benchmark, how they are taken, and the table that shows them."""

import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value with what it is a ratio to. `aim` bounds the ratio, or the value if `ratio` is None.

    `aim` is what it may be at most, `least` what it should be at least.
    """

    what: str
    value: str
    measured: float
    ratio: float | None = None
    to: str = ""
    aim: float | None = None
    least: float | None = None

    @property
    def verdict(self) -> str:
        """Say whether the aim is met."""
        reached = self.measured if self.ratio is None else self.ratio
        if self.aim is not None:
            return f"{'met' if reached <= self.aim else 'MISSED'} (at most {self.aim:g})"
        if self.least is not None:
            return f"{'met' if reached >= self.least else 'MISSED'} (at least {self.least:g})"
        return ""


def per(seconds: float, count: int) -> float:
    """Return milliseconds per item."""
    return seconds * 1000 / count


def against(what: str, ms: float, base_ms: float, to: str, *, aim: float | None = None) -> Figure:
    """Return a figure in milliseconds as a ratio to another one."""
    return Figure(what, _shown(ms), ms, ms / base_ms, f"{to} ({_shown(base_ms)})", aim)


def bounded(what: str, ms: float, *, aim: float) -> Figure:
    """Return a figure in milliseconds that has an aim of its own."""
    return Figure(what, _shown(ms), ms, None, "", aim)


def _shown(ms: float) -> str:
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.3g} ms"


async def cpu_of(work: Callable[[], Awaitable[object]]) -> float:
    """Return the CPU seconds this process, all threads, spends while `work` runs."""
    gc.collect()
    before = time.process_time()
    await work()
    return time.process_time() - before


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that `percent` of the values don't exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def table(title: str, figures: Sequence[Figure]) -> str:
    """Return one benchmark's figures as lines of text."""
    rows = [(f.what, f.value, "" if f.ratio is None else f"{f.ratio:.2f} x {f.to}", f.verdict) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join((title, *(line.rstrip() for line in lines)))
