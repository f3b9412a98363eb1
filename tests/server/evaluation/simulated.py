"""Two versions of a prompt whose pass probabilities are known, case by case.

Cases are easy or hard: a case's probability to pass is drawn from a beta distribution with the version's mean, and the
two versions' draws are correlated by a Gaussian copula. Repeats of a case are independent given its probability, so
they are correlated among all repeats.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from scipy.special import ndtr
from scipy.stats import beta

from server.evaluation.intervals import Array

GRID = np.linspace(0, 1, 1001)


@dataclass(frozen=True)
class World:
    """`alike` is the beta distribution's concentration: 10 makes cases much alike, 0.3 all but always pass or fail."""

    a: float
    b: float
    cases: int
    repeats: int = 1
    alike: float = 2.0
    correlation: float = 0.8

    @property
    def difference(self) -> float:
        return self.b - self.a

    def drawn(self, rounds: int, seed: int) -> tuple[Array, Array]:
        """Return each version's share of passes: rounds by cases."""
        chance = np.random.default_rng([seed, self.cases, self.repeats, round(1000 * self.a), round(1000 * self.b)])
        before, noise = chance.standard_normal((2, rounds, self.cases))
        after = self.correlation * before + np.sqrt(1 - self.correlation**2) * noise
        first, second = (
            chance.binomial(self.repeats, self._probability(mean, normal)) / self.repeats
            for mean, normal in ((self.a, before), (self.b, after))
        )
        return first, second

    def _probability(self, mean: float, normal: Array) -> Array:
        return np.interp(ndtr(normal), GRID, _quantiles(mean, self.alike))

    def __str__(self) -> str:
        return (
            f"{self.a:g} to {self.b:g}, {self.cases} x {self.repeats}, alike {self.alike:g}, corr {self.correlation:g}"
        )


@cache
def _quantiles(mean: float, alike: float) -> Array:
    return beta.ppf(GRID, mean * alike, (1 - mean) * alike)


CASES = (20, 50, 200)
REPEATS = (1, 3)
EQUAL = (0.02, 0.1, 0.3, 0.5, 0.9, 0.98)
DIFFERENT = ((0.6, 0.75), (0.9, 0.95), (0.98, 0.9), (0.02, 0.1), (0.2, 0.9))


def worlds(*, alike: tuple[float, ...] = (2.0,), correlations: tuple[float, ...] = (0.8,)) -> list[World]:
    """Return worlds from the smallest rate to the largest, of few cases and many, with and without repeats."""
    rates = [*((rate, rate) for rate in EQUAL), *DIFFERENT]
    return [
        World(a, b, cases, repeats, like, correlation)
        for (a, b), cases, repeats, like, correlation in product(rates, CASES, REPEATS, alike, correlations)
    ]
