"""Signals by columns: `tools.signals.read_signals` for a whole frame of members, without a loop over them."""

from datetime import date
from typing import Final

import polars as pl

from tools.signals import MONTHS_OF_COUNTS, SELECTIVE_ACCEPTANCE, SELECTIVE_MIN_SHOWN, STRONG_ACCEPTANCE, TREND_BAND
from tools.vocabulary import CARD_TYPES

READ: Final = (
    "card_type",
    "tenure_years",
    "card_activation_date",
    "preferred_domain_1",
    "preferred_domain_2",
    "total_spend_12m",
    "spend_change_pct_90d",
    "total_app_opens_90d",
    "offer_clicks_90d",
    "offers_shown_6m",
    "historical_acceptance_rate",
    "last_offer_accepted",
)
"""Columns of the export that signals rest on; none of them is protected."""


def with_signals(members: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return the frame with the fields of a MemberView (strategy and card_type null where there is none), and the rest.

    `members` holds the columns `READ` and the prediction's `domain`, text in its canonical spelling. Added are
    `view_card_type`, `spend_trend`, `engagement`, `acceptance`, `tenure_band`, `domain_interest`, `archetype`,
    `strategy`, `average_monthly_spend_usd`, `account_age_days`.
    """
    return (
        members.with_columns(
            view_card_type=_card_type(),
            spend_trend=_trend(),
            engagement=_engagement(),
            acceptance=_acceptance(),
            tenure_band=_tenure(),
            domain_interest=_interest(),
            average_monthly_spend_usd=_monthly("total_spend_12m"),
            account_age_days=_age_days(today),
        )
        .with_columns(archetype=_archetype())
        .with_columns(
            strategy=pl.when(pl.col("view_card_type").is_not_null() & (pl.col("archetype") != "sleeping_dog")).then(
                pl.col("archetype")
            )
        )
    )


def _monthly(column: str) -> pl.Expr:
    # Polars multiplies by a divisor's reciprocal, which can miss the quotient by a bit, and with it a limit.
    return pl.col(column).map_batches(
        lambda year: pl.Series(year.to_numpy() / 12, nan_to_null=True), return_dtype=pl.Float64
    )


def _card_type() -> pl.Expr:
    lowered = pl.col("card_type").str.to_lowercase()
    return pl.when(lowered.is_in(CARD_TYPES)).then(lowered)


def _trend() -> pl.Expr:
    change = pl.col("spend_change_pct_90d")
    return (
        pl.when(change < -TREND_BAND)
        .then(pl.lit("decreasing"))
        .when(change > TREND_BAND)
        .then(pl.lit("increasing"))
        .otherwise(pl.lit("stable"))
    )


def _engagement() -> pl.Expr:
    opens, clicks = pl.col("total_app_opens_90d").fill_null(0), pl.col("offer_clicks_90d").fill_null(0)
    return (
        pl.when((opens >= 20 * MONTHS_OF_COUNTS) & (clicks >= 5 * MONTHS_OF_COUNTS))
        .then(pl.lit("high"))
        .when((opens >= 10 * MONTHS_OF_COUNTS) & (clicks >= 2 * MONTHS_OF_COUNTS))
        .then(pl.lit("medium"))
        .otherwise(pl.lit("low"))
    )


def _acceptance() -> pl.Expr:
    rate, shown = pl.col("historical_acceptance_rate"), pl.col("offers_shown_6m").fill_null(0)
    return (
        pl.when(rate.is_null() | (shown == 0))
        .then(pl.lit("unknown"))
        .when(rate > STRONG_ACCEPTANCE)
        .then(pl.lit("strong"))
        .when((rate < SELECTIVE_ACCEPTANCE) & (shown > SELECTIVE_MIN_SHOWN))
        .then(pl.lit("selective"))
        .otherwise(pl.lit("moderate"))
    )


def _tenure() -> pl.Expr:
    years = pl.col("tenure_years")
    return (
        pl.when(years.is_null() | (years < 2))
        .then(pl.lit("new"))
        .when(years < 8)
        .then(pl.lit("established"))
        .otherwise(pl.lit("long_standing"))
    )


def _interest() -> pl.Expr:
    preferred = [pl.col(name).eq_missing(pl.col("domain")) for name in ("preferred_domain_1", "preferred_domain_2")]
    return pl.when(pl.any_horizontal(preferred)).then(pl.lit("preferred")).otherwise(pl.lit("other"))


def _age_days(today: date) -> pl.Expr:
    since = (pl.lit(today) - pl.col("card_activation_date")).dt.total_days()
    return pl.coalesce(since, pl.col("tenure_years").cast(pl.Int64) * 365)


def _archetype() -> pl.Expr:
    acceptance, engagement, trend = pl.col("acceptance"), pl.col("engagement"), pl.col("spend_trend")
    declining = (engagement == "low") & (acceptance == "selective")
    declined_last = pl.col("last_offer_accepted").eq_missing(pl.lit(False))
    return (
        pl.when((acceptance == "strong") & (engagement != "low") & (trend != "decreasing"))
        .then(pl.lit("sure_thing"))
        .when(declining & (trend == "decreasing") & declined_last)
        .then(pl.lit("sleeping_dog"))
        .when(declining)
        .then(pl.lit("lost_cause"))
        .otherwise(pl.lit("persuadable"))
    )
