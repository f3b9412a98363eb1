"""Intervals are right: they cover a known truth as often as they say, and say nothing false about degenerate data."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.evaluation.intervals import (
    Bounds,
    cases_needed,
    exceeds,
    holm,
    least_shown,
    mean_interval,
    rate_bounds,
    rate_interval,
)
from server.evaluation.verdict import PRIMARY_ALPHA
from tests.server.evaluation.simulated import World, worlds

ROUNDS = 1500
SEED = 5
ERROR = 3 * np.sqrt(0.05 * 0.95 / ROUNDS)
"""Three standard errors of a share of 5 % that is counted in `ROUNDS`."""


@cache
def _told(world: World) -> Bounds:
    before, after = world.drawn(ROUNDS, SEED)
    return rate_bounds(after - before, repeats=world.repeats)


def _coverage(world: World) -> float:
    told = _told(world)
    return float(np.mean((told.low <= world.difference) & (world.difference <= told.high)))


def test_intervals_of_rates_cover_the_truth_near_nominally() -> None:
    covered = {world: _coverage(world) for world in worlds()}
    low = {str(world): share for world, share in covered.items() if share < 0.93}
    assert not low
    central = [share for world, share in covered.items() if world.cases >= 50 and 0.2 <= world.a <= world.b <= 0.8]
    assert len(central) == 12
    assert max(central) <= 0.98
    assert 0.945 <= np.mean(central) <= 0.965


def test_equal_versions_are_told_apart_no_oftener_than_the_rules_say() -> None:
    wrong = {}
    for world in worlds():
        if world.difference == 0:
            wrong[str(world)] = float(np.mean(_told(world).p_value <= PRIMARY_ALPHA))
    assert max(wrong.values()) <= PRIMARY_ALPHA + ERROR, wrong
    assert np.mean(list(wrong.values())) <= PRIMARY_ALPHA


@pytest.mark.parametrize(("cases", "repeats", "least"), [(50, 1, 0.25), (200, 1, 0.85), (50, 3, 0.5), (200, 3, 0.99)])
def test_differences_are_seen_oftener_with_more_cases_and_repeats(cases: int, repeats: int, least: float) -> None:
    assert np.mean(_told(World(0.6, 0.75, cases, repeats)).p_value <= PRIMARY_ALPHA) >= least


@given(st.integers(1, 300), st.integers(1, 5), st.sampled_from([-1.0, 0.0, 1.0]))
def test_rates_that_all_agree_still_have_a_width(cases: int, repeats: int, everywhere: float) -> None:
    told = rate_interval(np.full(cases, everywhere), repeats=repeats)
    assert told.low is not None and told.high is not None
    assert told.low <= told.difference <= told.high
    assert told.high - told.low > 0.5 / cases


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=60))
def test_swapping_the_versions_mirrors_the_interval(thirds: list[int]) -> None:
    differences = np.array(thirds) / 3
    there, back = (rate_interval(sign * differences, repeats=3) for sign in (1, -1))
    assert there.low is not None and back.high is not None
    assert (there.difference, there.low) == pytest.approx((-back.difference, -back.high))
    assert there.p_value == pytest.approx(back.p_value)


def test_one_repeat_is_bonett_and_prices_interval_with_students_t() -> None:
    only_b, only_a, cases = 9, 2, 60
    differences = np.array([1.0] * only_b + [-1.0] * only_a + [0.0] * (cases - only_b - only_a))
    told = rate_interval(differences, repeats=1)
    share_b, share_a = (only_b + 1) / (cases + 2), (only_a + 1) / (cases + 2)
    error = np.sqrt((share_b + share_a - (share_b - share_a) ** 2) / (cases + 1))
    quantile = 1.9996  # of Student's t with 61 degrees of freedom at 97.5 %
    assert told.low == pytest.approx(share_b - share_a - quantile * error, abs=1e-4)
    assert told.high == pytest.approx(share_b - share_a + quantile * error, abs=1e-4)


def test_means_have_students_interval_and_none_where_all_cases_differ_alike() -> None:
    told = mean_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    assert (told.difference, told.low, told.high) == pytest.approx((2.5, 0.4457, 4.5543), abs=1e-4)
    alike = mean_interval(np.array([12.0, 12.0, 12.0]))
    assert (alike.difference, alike.low, alike.high, alike.p_value) == (12.0, None, None, None)
    assert mean_interval(np.array([3.0])).low is None


def test_a_rise_that_never_varies_is_certain_and_its_absence_is_no_rise() -> None:
    assert exceeds(np.array([2.0, 2.0]), repeats=None) == 0
    assert exceeds(np.array([0.0, 0.0]), repeats=None) == 1
    assert exceeds(np.array([-2.0, -2.0]), repeats=None) == 1
    assert 0 < exceeds(np.ones(30), repeats=1) < 1e-6


def test_holm_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}


def test_the_cases_needed_do_show_the_difference_in_four_of_five() -> None:
    spread, difference = 0.4, 0.05
    needed = cases_needed(difference, spread, alpha=PRIMARY_ALPHA)
    assert needed == 539
    chance = np.random.default_rng(SEED)
    samples = chance.normal(difference, spread, (ROUNDS, needed))
    error = samples.std(axis=1, ddof=1) / np.sqrt(needed)
    shown = np.mean(np.abs(samples.mean(axis=1) / error) > 2.0584)  # Student's t, 538 degrees of freedom, 98 %
    assert shown == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / ROUNDS))
    assert least_shown(needed, spread, alpha=PRIMARY_ALPHA) == pytest.approx(difference, abs=1e-4)


def test_no_number_of_cases_shows_no_difference() -> None:
    assert cases_needed(0.0, 0.4, alpha=PRIMARY_ALPHA) is None
    assert cases_needed(1e-6, 0.4, alpha=PRIMARY_ALPHA) is None
    assert cases_needed(0.9, 0.01, alpha=PRIMARY_ALPHA) == 2


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_no_interval_of_rates_goes_beyond_what_rates_can_differ_by(sign: float) -> None:
    told = rate_interval(np.full(8, sign), repeats=1)
    assert told.low is not None and told.high is not None
    assert -1.0 <= told.low <= told.high <= 1.0
    assert (told.high if sign > 0 else told.low) == sign == told.difference
    inner = rate_interval(np.array([1.0, 0.0, 0.0, -1.0, 0.0]), repeats=1)
    assert inner.low == pytest.approx(-(inner.high or 0.0)) and 0 < (inner.high or 0.0) < 1
