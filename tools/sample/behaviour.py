"""Draw engagement, offer history and the labels a warehouse derives from behaviour."""

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from tools.sample.purchases import Floats, Ints, Spending
from tools.vocabulary import DOMAINS

OPTED_OUT: Final = 0.14
LIFECYCLES: Final = ("active", "onboarding", "at_risk", "dormant")
SEGMENTS: Final = ("Mass Market", "Mass Affluent", "Premium", "Small Business")
PERSONA_OF: Final = {
    "Travel": "Travel Enthusiast",
    "Dining": "Foodie",
    "Electronics": "Tech Professional",
    "Business Services": "Business Owner",
}


def draw_engagement(rng: np.random.Generator, *, engagement: Floats, opted_in: np.ndarray) -> dict[str, pl.Series]:
    """Return the app's 90-day counts and the email open rate; who opted out opens nothing."""
    members = len(engagement)
    opens = np.minimum(rng.poisson(np.exp(3.9 + 0.6 * engagement)), 400)
    views = rng.binomial(opens, 0.5)
    clicks = rng.binomial(views, 1 / (1 + np.exp(0.9 - 0.5 * engagement)))
    opened = rng.beta(2 + np.exp(0.5 * engagement), 5)
    return {
        "email_open_rate": pl.Series(np.where(opted_in, np.round(opened, 4), 0.0)),
        "days_engaged_90d": pl.Series(np.clip(rng.binomial(90, 1 - np.exp(-opens / 90)), 2, 80)),
        "total_app_opens_90d": pl.Series(opens),
        "offer_views_90d": pl.Series(views),
        "offer_clicks_90d": pl.Series(clicks),
        "avg_session_duration_sec": pl.Series(np.clip(np.rint(rng.normal(160 + 25 * engagement, 40)), 60, 300)),
        "engagement_change_pct_30d": pl.Series(
            np.round(np.clip(rng.normal(-0.08 + 0.03 * engagement, 0.08, members), -0.3, 0.1), 4)
        ),
    }


def draw_offers(
    rng: np.random.Generator, *, engagement: Floats, preferred: Ints, snapshot: date
) -> dict[str, pl.Series]:
    """Return the offer history. As in real exports, the last offer's date contradicts its age in most rows."""
    members = len(engagement)
    shown = 4 + rng.binomial(8, 0.5, members)
    accepted = np.minimum(rng.binomial(shown, rng.beta(2, 6, members)), 4)
    last_accepted = rng.random(members) < accepted / shown
    choice = rng.random(members)
    other = rng.integers(0, len(DOMAINS), members)
    domain = np.where(choice < 0.55, preferred[:, 0], np.where(choice < 0.75, preferred[:, 1], other))
    days_since = rng.integers(7, 61, members)
    dated = np.where(rng.random(members) < 0.3, days_since, rng.integers(1, 181, members))
    return {
        "offers_shown_6m": pl.Series(shown),
        "offers_accepted_6m": pl.Series(accepted),
        "historical_acceptance_rate": pl.Series(accepted / shown),
        "days_since_last_offer": pl.Series(days_since),
        "offers_sent_this_month": pl.Series(rng.integers(0, 4, members)),
        "last_offer_accepted": pl.Series(last_accepted),
        "last_offer_domain": pl.Series(DOMAINS).gather(domain).set(pl.Series(~last_accepted), None),
        "last_offer_date": days_before(snapshot, dated),
    }


def derive_labels(
    rng: np.random.Generator, *, affluence: Floats, engagement: Floats, tenure_years: Ints, spending: Spending
) -> dict[str, pl.Series]:
    """Return churn risk, lifecycle, persona and segment, which follow from behaviour with some noise."""
    recency = spending.recency_days
    trend = np.nan_to_num(spending.change_90d)
    leaning = -2.2 + recency / 40 - 1.2 * trend - 0.4 * engagement + rng.normal(0, 0.5, len(recency))
    churn = np.round(1 / (1 + np.exp(-leaning)), 4)
    lifecycle = np.select([recency > 90, churn > 0.6, tenure_years < 1], [3, 2, 1], 0)
    share = spending.by_domain / spending.transactions[:, None]
    top, weight = share.argmax(axis=1), share.max(axis=1)
    gone = (recency > 90) | (churn > 0.8)
    personas = (
        *(PERSONA_OF.get(name, "General Cardmember") for name in DOMAINS),
        "General Cardmember",
        "Dormant/Churning",
    )
    persona = np.where(gone, len(DOMAINS) + 1, np.where(weight > 0.34, top, len(DOMAINS)))
    business = (top == DOMAINS.index("Business Services")) & (weight > 0.3)
    segment = np.where(business, 3, np.searchsorted([0.2, 1.0364], affluence))
    return {
        "churn_risk_score": pl.Series(churn),
        "customer_lifecycle_stage": pl.Series(LIFECYCLES).gather(lifecycle),
        "persona": pl.Series(personas).gather(persona),
        "segment": pl.Series(SEGMENTS).gather(segment),
    }


def days_before(snapshot: date, days: Ints) -> pl.Series:
    """Return the dates that many days before the snapshot."""
    return pl.Series(np.datetime64(snapshot, "D") - days.astype("timedelta64[D]"), dtype=pl.Date)
