"""Screening by columns: `tools.screening.screen` for a frame of predictions, with the same words in its details."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from tools.menus import MenuKey
from tools.screening import NEVER, RULES, Limits
from tools.terms import Menu
from tools.vocabulary import Domain, SuppressionReason

REASONS: Final[tuple[SuppressionReason, ...]] = tuple(rule.reason for rule in RULES)
"""The reasons in the order of the contract: the first that holds is the outcome's."""

USAGE: Final[Mapping[str, pl.Expr]] = {
    "issued_this_month": pl.lit(0),
    "pending": pl.lit(0),
    "pending_in_domain": pl.lit(0),
    "days_since_domain_offer": pl.lit(NEVER),
    "days_since_domain_decline": pl.lit(NEVER),
    "high_value_this_quarter": pl.lit(0),
    "multipliers_this_month": pl.lit(0),
    "credits_this_year_usd": pl.lit(0.0),
    "suppressed": pl.lit(False),
    "domain_refused": pl.lit(False),
    "paused_until": pl.lit(None, pl.Date),
    "snapshot_is_current": pl.lit(True),
}
"""What the ledger counts for a member (`tools.screening_case.Usage`), and what stands for one it holds nothing of."""


@dataclass(frozen=True, slots=True)
class MenuFacts:
    """What screening asks of a menu. `candidates` is how many partner merchants fit it."""

    high_value: bool
    multipliers: bool
    largest_credit_usd: float
    candidates: int

    @classmethod
    def of(cls, menu: Menu, limits: Limits, *, candidates: int) -> "MenuFacts":
        """Read them off a menu."""
        credits = [float(o.reward_value or 0) for o in menu.options if o.offer_type == "statement_credit"]
        return cls(
            high_value=any(float(option.expected_cost_usd) >= limits.high_value_usd for option in menu.options),
            multipliers=any(option.offer_type == "points_multiplier" for option in menu.options),
            largest_credit_usd=max(credits, default=0.0),
            candidates=candidates,
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """What screening rests on beside the members: limits by domain, menus, and who answers for what no column shows."""

    limits: Mapping[Domain, Limits]
    menus: Mapping[MenuKey, MenuFacts]
    account_standing_attested: bool
    unattested: tuple[str, ...]
    today: date


def screened(predictions: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Return the frame with a column per reason, the detail in words where it holds and null else, and `reason`.

    `predictions` went through `with_signals`; it holds `confidence`, `in_holdout`, what of the member the rules read,
    and any of the columns `USAGE`. They are called as the reasons; `reason` is the first that holds, null for none.
    """
    limits = pl.DataFrame([{"domain": domain, **_limits(given)} for domain, given in ground.limits.items()])
    menus = pl.DataFrame([_menu(key, facts) for key, facts in ground.menus.items()], schema=_MENU)
    missing = {name: default for name, default in USAGE.items() if name not in predictions.columns}
    usage = predictions.with_columns(**missing).with_columns(
        [pl.col(name).fill_null(default) for name, default in USAGE.items() if name != "paused_until"]
    )
    joined = (
        usage.join(limits, on="domain", how="left", maintain_order="left")
        .join(menus, on=["domain", "view_card_type", "strategy"], how="left", maintain_order="left")
        .with_columns(_counted())
    )
    details = joined.select(
        **{rule.reason: _DETAILS[rule.reason](ground).cast(pl.String) for rule in RULES},
    ).with_columns(
        reason=pl.coalesce([pl.when(pl.col(reason).is_not_null()).then(pl.lit(reason)) for reason in REASONS])
    )
    return pl.concat([predictions, details], how="horizontal")


def _limits(limits: Limits) -> dict[str, object]:
    most = limits.max_credits_per_year_usd
    return {
        "least_confidence": limits.min_confidence,
        "most_a_month": limits.max_offers_per_month,
        "cooldown_days": limits.category_cooldown_days,
        "decline_days": limits.decline_cooldown_days,
        "most_high_value": limits.max_high_value_per_quarter,
        "most_multipliers": limits.max_multipliers_per_month,
        "most_credits_usd": None if most is None else float(most),
        "least_spend_usd": float(limits.min_average_monthly_spend_usd),
        "least_age_days": limits.min_account_age_days,
    }


_MENU: Final = {
    "domain": pl.String,
    "view_card_type": pl.String,
    "strategy": pl.String,
    "high_value": pl.Boolean,
    "multipliers": pl.Boolean,
    "largest_credit_usd": pl.Float64,
    "candidates": pl.Int64,
}


def _menu(key: MenuKey, facts: MenuFacts) -> dict[str, object]:
    domain, card_type, strategy = key
    return {
        "domain": domain,
        "view_card_type": card_type,
        "strategy": strategy,
        "high_value": facts.high_value,
        "multipliers": facts.multipliers,
        "largest_credit_usd": facts.largest_credit_usd,
        "candidates": facts.candidates,
    }


def _counted() -> list[pl.Expr]:
    """Return the counts that a `Case` makes of the warehouse's and the ledger's."""
    column, last = pl.col, pl.col("last_offer_domain")
    sent = pl.when("snapshot_is_current").then(column("offers_sent_this_month").fill_null(0)).otherwise(0)
    days = column("days_since_last_offer")
    elsewhere = last.is_not_null() & (last != "") & (last != column("domain"))
    warehouse = pl.when(days.is_null() | elsewhere.fill_null(False)).then(NEVER).otherwise(days)
    declined = (
        column("last_offer_accepted").eq_missing(pl.lit(False)) & last.eq_missing(column("domain")) & days.is_not_null()
    )
    largest = column("largest_credit_usd").fill_null(0.0)
    return [
        (sent + column("issued_this_month") + column("pending")).alias("used_this_month"),
        pl.when(column("pending_in_domain") > 0)
        .then(0)
        .otherwise(pl.min_horizontal(warehouse, "days_since_domain_offer"))
        .alias("days_since_category_offer"),
        pl.min_horizontal(pl.when(declined).then(days).otherwise(NEVER), "days_since_domain_decline").alias(
            "days_since_category_decline"
        ),
        (column("high_value_this_quarter") + column("pending_in_domain")).alias("used_high_value"),
        (column("multipliers_this_month") + column("pending")).alias("used_multipliers"),
        (column("credits_this_year_usd") + column("pending_in_domain") * largest).alias("used_credits_usd"),
        (largest > 0).alias("credits"),
    ]


def _opt_out(_: Ground) -> pl.Expr:
    refused = pl.format("the member wants no {} offers (preferences)", "domain")
    until = pl.col("paused_until").dt.to_string("%Y-%m-%d")
    return (
        pl.when("suppressed")
        .then(pl.lit("the member is on the suppression list"))
        .when("domain_refused")
        .then(refused)
        .when(pl.col("paused_until").is_not_null())
        .then(pl.format("the member paused offers until {} (preferences)", until))
        .when(~pl.col("opt_in_marketing").fill_null(False))
        .then(pl.lit("the member has not opted in to marketing"))
    )


def _confidence(_: Ground) -> pl.Expr:
    given, least = pl.col("confidence"), pl.col("least_confidence")
    return pl.when(given < least).then(pl.format("confidence {} is below {}", _general(given), _general(least)))


def _monthly(_: Ground) -> pl.Expr:
    used, most = pl.col("used_this_month"), pl.col("most_a_month")
    return pl.when(used >= most).then(pl.format("{} of {} offers this month are used", used, most))


def _category(_: Ground) -> pl.Expr:
    days, least = pl.col("days_since_category_offer"), pl.col("cooldown_days")
    told = pl.format("{} days since the last {} offer; at least {} are needed", days, "domain", least)
    return pl.when(days < least).then(told)


def _decline(_: Ground) -> pl.Expr:
    days, least = pl.col("days_since_category_decline"), pl.col("decline_days")
    told = pl.format("{} days since a declined {} offer; at least {} are needed", days, "domain", least)
    return pl.when(days < least).then(told)


def _high_value(_: Ground) -> pl.Expr:
    used, most = pl.col("used_high_value"), pl.col("most_high_value")
    told = pl.format("{} of {} high-value {} offers this quarter are used", used, most, "domain")
    return pl.when(pl.col("high_value") & (used >= most)).then(told)


def _multipliers(_: Ground) -> pl.Expr:
    used, most = pl.col("used_multipliers"), pl.col("most_multipliers")
    told = pl.format("{} of {} multiplier offers this month are active", used, most)
    return pl.when(pl.col("multipliers") & (used >= most)).then(told)


def _credits(_: Ground) -> pl.Expr:
    used, most, largest = pl.col("used_credits_usd"), pl.col("most_credits_usd"), pl.col("largest_credit_usd")
    told = pl.format("${} of ${} {} credits this year are used", _general(used), _general(most), "domain")
    return pl.when(pl.col("credits") & (used + largest > most)).then(told)


def _spend(_: Ground) -> pl.Expr:
    spend, least = pl.col("average_monthly_spend_usd"), pl.col("least_spend_usd")
    return pl.when(spend < least).then(pl.format("average monthly spend is below ${}", _general(least)))


def _age(_: Ground) -> pl.Expr:
    age, least = pl.col("account_age_days"), pl.col("least_age_days")
    return pl.when(age < least).then(pl.format("the account is younger than {} days", least))


def _standing(ground: Ground) -> pl.Expr:
    told = "nobody attests account_standing today (setting ATTESTATIONS)"
    return pl.when(pl.lit(not ground.account_standing_attested)).then(pl.lit(told))


def _sleeping(_: Ground) -> pl.Expr:
    told = pl.lit("contact is likely to do harm (sleeping dog)")
    return pl.when(pl.col("archetype") == "sleeping_dog").then(told)


def _holdout(_: Ground) -> pl.Expr:
    return pl.when("in_holdout").then(pl.lit("the member is in the campaign's holdout"))


def _option(_: Ground) -> pl.Expr:
    known = pl.col("view_card_type").is_not_null() & (pl.col("archetype") != "sleeping_dog")
    return (
        pl.when(pl.col("candidates").is_null() & known)
        .then(pl.format("no option for {} and this card", "domain"))
        .when(pl.col("candidates") < 2)
        .then(pl.lit("fewer than two partner merchants fit"))
    )


def _quality(ground: Ground) -> pl.Expr:
    needed = {
        "card_type": "view_card_type",
        "offers_sent_this_month": "offers_sent_this_month",
        "days_since_last_offer": "days_since_last_offer",
        "total_spend_12m": "total_spend_12m",
        "card_activation_date": "account_age_days",
    }
    names = [pl.when(pl.col(column).is_null()).then(pl.lit(name)) for name, column in needed.items()]
    unknown = pl.concat_str(names, separator=", ", ignore_nulls=True)
    told = pl.when(unknown != "").then(pl.format("unknown: {}", unknown))
    if not ground.unattested:
        return told
    lacking = pl.lit(f"nobody attests {', '.join(ground.unattested)} today (setting ATTESTATIONS)")
    return pl.concat_str([told, lacking], separator="; ", ignore_nulls=True)


_DETAILS: Final[Mapping[SuppressionReason, Callable[[Ground], pl.Expr]]] = {
    "marketing_opt_out": _opt_out,
    "low_confidence": _confidence,
    "monthly_cap": _monthly,
    "category_cooldown": _category,
    "decline_cooldown": _decline,
    "high_value_quarter_cap": _high_value,
    "multiplier_cap": _multipliers,
    "annual_credit_cap": _credits,
    "spend_floor": _spend,
    "account_age": _age,
    "account_status_unknown": _standing,
    "sleeping_dog": _sleeping,
    "holdout": _holdout,
    "no_eligible_option": _option,
    "data_quality": _quality,
}


def _general(number: pl.Expr) -> pl.Expr:
    """Write numbers as Python's `:g` does, each distinct one once."""
    return number.map_batches(_written, return_dtype=pl.String)


def _written(numbers: pl.Series) -> pl.Series:
    distinct = numbers.drop_nulls().unique()
    return numbers.replace_strict(
        distinct, [f"{number:g}" for number in distinct], default=None, return_dtype=pl.String
    )
