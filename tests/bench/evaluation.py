"""How often the intervals of prompt evaluations cover a known truth, and how often their verdicts are right.

Coverage is of the 95 % interval of the difference in first drafts that pass, beside plain Student's t and, for up to 50
cases, the BCa bootstrap. `alike` tells how much cases differ (`tests/server/evaluation/simulated.py`).
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from scipy.stats import bootstrap

from server.evaluation.intervals import Array, bounds, rate_bounds
from server.evaluation.verdict import PRIMARY_ALPHA
from tests.bench.figures import Figure
from tests.bench.parts import Parts
from tests.server.evaluation.simulated import World, worlds
from tests.server.evaluation.simulated_verdicts import verdicts

ROUNDS: Final = 4_000
QUICK: Final = 1_000
BOOTSTRAPPED: Final = 200
RESAMPLES: Final = 999
BOOTSTRAP_CASES: Final = 50
MOST_MISSED: Final = 0.07
SEED: Final = 20260504


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Simulate."""
    rounds = QUICK if quick else ROUNDS
    usual = worlds()
    odd = worlds(alike=(0.3,), correlations=(0.95,))
    return [
        *(_covered(world, rounds, bootstrapped=not quick) for world in usual),
        *(_covered(world, rounds, bootstrapped=False) for world in odd),
        *_told(rounds // 5),
    ]


def _covered(world: World, rounds: int, *, bootstrapped: bool) -> Figure:
    before, after = world.drawn(rounds, SEED)
    differences = after - before
    told = rate_bounds(differences, repeats=world.repeats)
    covered = _share(world, told.low, told.high)
    seen = np.mean(told.p_value <= PRIMARY_ALPHA)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # t has no variance where all agree; its interval is then nan and counts as missed
        plain = bounds(differences)
        others = f"t {_share(world, plain.low, plain.high):.3f}"
        if bootstrapped and world.cases <= BOOTSTRAP_CASES:
            others += f", BCa {_share(world, *_bca(differences[:BOOTSTRAPPED])):.2f}"
    width = 100 * float(np.mean(told.high - told.low))
    said = f"{covered:.3f} ({others}), {width:.1f} points wide, told apart {seen:.3f}"
    return Figure(f"coverage, {world}", said, 1 - covered, aim=MOST_MISSED)


def _bca(differences: Array) -> tuple[Array, Array]:
    told = bootstrap(
        (differences,), np.mean, axis=-1, n_resamples=RESAMPLES, batch=50, method="BCa", rng=np.random.default_rng(SEED)
    )
    return told.confidence_interval.low, told.confidence_interval.high


def _share(world: World, low: Array, high: Array) -> float:
    return float(np.mean((low <= world.difference) & (world.difference <= high)))


def _told(rounds: int) -> Iterator[Figure]:
    """Yield how often the whole chain, guards included, gives each verdict."""
    for cases, repeats in ((20, 1), (50, 3), (100, 1)):
        for mended in (0.0, 0.5):
            words = list(verdicts(rounds, cases=cases, repeats=repeats, seed=SEED, mended=mended))
            better, worse = (words.count(word) / rounds for word in ("better", "worse"))
            wrong = worse if mended else better + worse
            what = f"verdicts, {cases} x {repeats}, {'half of the failures mended' if mended else 'equal versions'}"
            yield Figure(what, f"better {better:.3f}, worse {worse:.3f}", wrong, aim=0.05)
