"""Intervals and tests of the report: Wilson's score, Student's t, Pearson's chi-square."""

from collections.abc import Sequence
from math import sqrt
from typing import Final

from scipy.stats import binomtest, chisquare, t

from server.campaign.report.figures import Proportion

LEVEL: Final = 0.95
FOUR_FIFTHS: Final = 0.8
"""Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D: a lower ratio is evidence of adverse impact."""
FAULT: Final = 0.001
"""Sizes of arms less likely than that speak of a fault in the allocation (Fabijan et al., KDD 2019)."""


def proportion(count: int, of: int) -> Proportion:
    """Return a share with its Wilson score interval."""
    if not of:
        return Proportion(count=count, of=of, share=None, low=None, high=None)
    interval = binomtest(count, of).proportion_ci(LEVEL, method="wilson")
    return Proportion(count=count, of=of, share=count / of, low=float(interval.low), high=float(interval.high))


def mean_bounds(mean: float, spread: float | None, cases: int) -> tuple[float, float] | None:
    """Return Student's t interval of a mean from its cases' standard deviation; None for fewer than two cases."""
    if spread is None or cases < 2:
        return None
    half = float(t.ppf((1 + LEVEL) / 2, cases - 1)) * spread / sqrt(cases)
    return mean - half, mean + half


def ratio_test(counts: Sequence[int], shares: Sequence[float]) -> tuple[float, float] | None:
    """Return chi-square and p-value of counts against shares that sum to 1; None where nothing can be tested."""
    total = sum(counts)
    kept = [(count, share * total) for count, share in zip(counts, shares, strict=True) if share > 0]
    if not total or len(kept) < 2 or sum(count for count, _ in kept) != total:
        return None
    tested = chisquare([count for count, _ in kept], [expected for _, expected in kept])
    return float(tested.statistic), float(tested.pvalue)
