"""Simulate a year of card purchases per member, and sum it up as the warehouse does.

Rates and amounts follow a latent affluence; recency, trend and totals all come from the same purchases, so that they
agree.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from tools.vocabulary import DOMAINS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

YEAR: Final = 365
MAX_PURCHASES: Final = 240
MAX_PURCHASE: Final = 1_500.0
MAX_IN_30_DAYS: Final = 20
SPEND_RANGE: Final = (1_705.0, 54_990.0)
"""USD a year, a little inside the observed 1,700 to 55,000 so that rounding each purchase can't leave it."""
MAX_MONTH_SPEND: Final = 13_990.0
CHANGE_RANGE: Final = (-0.6, 0.5)
MONTHLY_RATE: Final = 17.0
TIER_FACTOR: Final = np.array([0.5, 0.62, 0.75])
"""Purchases of Basic, Gold and Platinum cards as shares of the mean monthly rate."""
AMOUNTS: Final = {
    "Travel": (60.0, 600.0),
    "Dining": (60.0, 40.0),
    "Electronics": (170.0, 130.0),
    "Business Services": (130.0, 100.0),
    "Retail": (75.0, 50.0),
    "Entertainment": (40.0, 25.0),
}
"""Mean and standard deviation of one purchase in USD, before affluence."""


@dataclass(frozen=True, slots=True)
class Spending:
    """A chunk of members' year: counts, USD, days, and changes as fractions (NaN where nothing came before)."""

    transactions: Ints
    spend: Floats
    average: Floats
    recency_days: Ints
    frequency_30d: Ints
    monetary_30d: Floats
    change_30d: Floats
    change_90d: Floats
    by_domain: Ints


def simulate(
    rng: np.random.Generator, *, affluence: Floats, tier: Ints, engagement: Floats, snapshot: date
) -> Spending:
    """Draw the purchases of one chunk of members and sum them up as of `snapshot`."""
    members = len(affluence)
    dropped = rng.random(members) < 1 / (1 + np.exp(2.4 + 0.9 * engagement))
    quiet_days = np.where(dropped, rng.integers(20, 171, members), 0)
    rate = np.clip(rng.gamma(2.0, MONTHLY_RATE / 2, members) * TIER_FACTOR[tier], 2.0, 19.0)
    counts = np.clip(rng.poisson(rate * 12 * (1 - quiet_days / YEAR)), 3, MAX_PURCHASES)
    owner = np.repeat(np.arange(members), counts)

    day = _days_ago(rng, quiet_days[owner], snapshot)
    day = _thin_last_month(rng, day, owner, members)
    domain = _domains(rng, owner, members)
    trend = rng.normal(0.0, 0.16, members) + 0.05 * engagement
    cents = _cents(rng, domain, affluence[owner], trend[owner] * np.clip((180 - day) / 90, 0, 2))
    cents = _rescaled(cents, owner, members, _within(cents, owner, members, *SPEND_RANGE))
    month = _total(cents, owner, members, day <= 30)
    cents = _rescaled(cents, owner, members, np.minimum(1.0, MAX_MONTH_SPEND * 100 / np.maximum(month, 1)))

    def spent(first: int, last: int) -> Ints:
        return _total(cents, owner, members, (day >= first) & (day <= last))

    total = spent(1, YEAR)
    latest = np.full(members, YEAR)
    np.minimum.at(latest, owner, day)
    return Spending(
        transactions=counts,
        spend=total / 100,
        average=np.rint(total / counts) / 100,
        recency_days=np.minimum(latest, 180),
        frequency_30d=np.bincount(owner[day <= 30], minlength=members),
        monetary_30d=spent(1, 30) / 100,
        change_30d=_change(spent(1, 30), spent(31, 60)),
        change_90d=_change(spent(1, 90), spent(91, 180)),
        by_domain=np.bincount(owner * len(DOMAINS) + domain, minlength=members * len(DOMAINS)).reshape(members, -1),
    )


def _day_weights(snapshot: date) -> Floats:
    """Return how busy each day is, by days before the snapshot: weekends double, December too, after it a lull."""
    weights = np.ones(YEAR + 1)
    weights[0] = 0.0
    for ago in range(1, YEAR + 1):
        day = snapshot - timedelta(days=ago)
        weights[ago] *= 2.0 if day.weekday() >= 5 else 1.0
        weights[ago] *= {12: 2.0, 1: 0.75, 2: 0.75}.get(day.month, 1.0)
    return weights


def _days_ago(rng: np.random.Generator, quiet_days: Ints, snapshot: date) -> Ints:
    share = np.cumsum(_day_weights(snapshot))
    share /= share[-1]
    floor = share[quiet_days]
    drawn = floor + (1 - floor) * rng.random(len(quiet_days))
    day: Ints = np.clip(np.searchsorted(share, drawn, side="right"), 1, YEAR)
    return day


def _thin_last_month(rng: np.random.Generator, day: Ints, owner: Ints, members: int) -> Ints:
    """Move what exceeds the monthly maximum of purchases to earlier days."""
    recent = day <= 30
    running = np.cumsum(recent)
    before = np.concatenate(([0], running))[np.searchsorted(owner, np.arange(members))]
    surplus = recent & (running - before[owner] > MAX_IN_30_DAYS)
    day[surplus] = rng.integers(31, YEAR + 1, int(surplus.sum()))
    return day


def _domains(rng: np.random.Generator, owner: Ints, members: int) -> Ints:
    mix = rng.dirichlet(np.full(len(DOMAINS), 1.4), members)
    edges = np.cumsum(mix, axis=1)
    drawn = rng.random(len(owner))
    domain = np.zeros(len(owner), dtype=np.int64)
    for place in range(len(DOMAINS) - 1):
        domain += drawn > edges[owner, place]
    return domain


def _cents(rng: np.random.Generator, domain: Ints, affluence: Floats, trend: Floats) -> Ints:
    mean, deviation = np.array([AMOUNTS[name] for name in DOMAINS]).T
    variance = np.log1p((deviation / mean) ** 2)
    location = np.log(mean) - variance / 2
    drawn = location[domain] + np.sqrt(variance)[domain] * rng.standard_normal(len(domain))
    amount = np.exp(drawn + 0.2 + 0.4 * affluence + trend)
    cents: Ints = np.rint(np.clip(amount, 1.0, MAX_PURCHASE) * 100).astype(np.int64)
    return cents


def _total(cents: Ints, owner: Ints, members: int, chosen: npt.NDArray[np.bool_]) -> Ints:
    # A sum of cents stays far below 2**53: float weights lose nothing.
    return np.bincount(owner[chosen], weights=cents[chosen], minlength=members).astype(np.int64)


def _within(cents: Ints, owner: Ints, members: int, low: float, high: float) -> Floats:
    total = np.bincount(owner, weights=cents, minlength=members)
    factor: Floats = np.clip(total, low * 100, high * 100) / total
    return factor


def _rescaled(cents: Ints, owner: Ints, members: int, factor: Floats) -> Ints:
    if np.all(factor == 1.0):
        return cents
    return np.maximum(np.rint(cents * factor[owner]).astype(np.int64), 1)


def _change(recent: Ints, before: Ints) -> Floats:
    """Return the change as a fraction, cut to the observed range as the warehouse does."""
    change = np.full(len(recent), np.nan)
    np.divide(recent - before, before, out=change, where=before > 0)
    held: Floats = np.round(np.clip(change, *CHANGE_RANGE), 4)
    return held
