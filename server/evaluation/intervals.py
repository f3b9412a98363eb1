"""Confidence intervals of paired differences. One value per case: repeats of a case are averaged first.

Cases are what is drawn at random, so the case is the cluster; how alike its repeats are then needs no assumption.

For rates the interval is Student's t over the cases' differences and two made-up cases more, of +h and -h. With one
repeat that is the adjusted Wald interval of Bonett and Price (2012) for paired proportions (h = 1); with more it is
Agresti and Min's (2005) half as heavy one (h = 1/sqrt(2)). Unlike plain t or a bootstrap, it has a width where every
case agrees. `python -m tests.bench evaluation` prints how often it, and what it was chosen over, cover the truth.
"""

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import nct, t, ttest_1samp

LEVEL: Final = 0.95
POWER: Final = 0.8
"""Chance to see a difference of the named size, for the sizes of samples that reports name."""
MOST_CASES: Final = 10_000_000
CERTAIN: Final = 30
"""Standard errors from which on a difference can't be missed; further out the noncentral t has no value."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean paired difference, later version less earlier. `low`, `high` and `p_value` are None when nothing varies.

    `p_value` is two-sided, of no difference; `spread` is the standard deviation between cases, `cases` their number.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    spread: float
    cases: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """Intervals of many samples at once, for simulations: one entry per row."""

    low: Array
    high: Array
    p_value: Array


def rate_interval(differences: Array, *, repeats: int) -> Interval:
    """Return the interval of a difference of rates from each case's difference of mean results, -1 to 1."""
    padded = _padded(differences, repeats)
    found = _interval(differences, bounds(padded), float(padded.std(ddof=1)))
    assert found.low is not None and found.high is not None  # the made-up cases vary
    return replace(found, low=max(found.low, -1.0), high=min(found.high, 1.0))  # no difference of rates lies beyond


def mean_interval(differences: Array) -> Interval:
    """Return the t interval of a difference of means; without bounds for one case, or when all cases differ alike."""
    if len(differences) < 2 or np.ptp(differences) == 0:
        return Interval(float(differences.mean()), None, None, None, 0.0, len(differences))
    return _interval(differences, bounds(differences), float(differences.std(ddof=1)))


def rate_bounds(differences: Array, *, repeats: int) -> Bounds:
    """Return the intervals of `rate_interval` for each row of `differences`."""
    return bounds(_padded(differences, repeats))


def bounds(samples: Array, *, level: float = LEVEL) -> Bounds:
    """Return Student's t interval of the mean of each row, and the two-sided p-value of a mean of nought."""
    tested = ttest_1samp(samples, 0.0, axis=-1)
    interval = tested.confidence_interval(level)
    return Bounds(interval.low, interval.high, tested.pvalue)


def exceeds(differences: Array, *, repeats: int | None) -> float:
    """Return the one-sided p-value that the mean is not above nought; `repeats` for rates, None for other means.

    Where all cases differ alike there is nothing to test: 0 if they all lie above nought, else 1.
    """
    sample = differences if repeats is None else _padded(differences, repeats)
    if len(sample) < 2 or np.ptp(sample) == 0:
        return float(not sample.mean() > 0)
    return float(ttest_1samp(sample, 0.0, alternative="greater").pvalue)


def holm(p_values: dict[str, float]) -> dict[str, float]:
    """Return p-values adjusted for being many, by Holm (1979): the chance that any is small by luck stays bounded."""
    adjusted, highest = {}, 0.0
    for place, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_value))
        adjusted[name] = highest
    return adjusted


def cases_needed(difference: float, spread: float, *, alpha: float) -> int | None:
    """Return how many cases show a mean difference of this size with a chance of `POWER`; None if none would do."""
    if difference == 0 or spread == 0 or _power(MOST_CASES, difference, spread, alpha) < POWER:
        return None

    def lacks(cases: float) -> float:
        return _power(cases, difference, spread, alpha) - POWER

    return 2 if lacks(2) >= 0 else ceil(brentq(lacks, 2, MOST_CASES))


def least_shown(cases: int, spread: float, *, alpha: float) -> float:
    """Return the smallest mean difference that so many cases show with a chance of `POWER`."""
    if spread == 0:
        return 0.0
    return float(brentq(lambda size: _power(cases, size * spread, spread, alpha) - POWER, 1e-9, 1e6) * spread)


def _power(cases: float, difference: float, spread: float, alpha: float) -> float:
    """Return the power of a paired t test: the tail of the noncentral t distribution (Cohen 1988)."""
    freedom = cases - 1
    effect = abs(difference) / spread * sqrt(cases)
    return float(nct.sf(t.isf(alpha / 2, freedom), freedom, effect)) if effect < CERTAIN else 1.0


def _padded(differences: Array, repeats: int) -> Array:
    weight = 1 / sqrt(min(repeats, 2))
    made_up = np.broadcast_to([weight, -weight], (*differences.shape[:-1], 2))
    return np.concatenate([differences, made_up], axis=-1)


def _interval(differences: Array, told: Bounds, spread: float) -> Interval:
    numbers: list[Any] = [told.low, told.high, told.p_value]
    low, high, p_value = map(float, numbers)
    return Interval(float(differences.mean()), low, high, p_value, spread, len(differences))
