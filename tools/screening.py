"""Who must not get an offer now, and why: one table of rules, no model, zero tokens."""

from collections.abc import Callable
from typing import Final, NamedTuple

from tools.screening_case import NEVER as NEVER
from tools.screening_case import Case as Case
from tools.screening_case import Limits as Limits
from tools.screening_case import Usage as Usage
from tools.vocabulary import SuppressionReason

Hold = tuple[SuppressionReason, str]
"""A reason to hold a member back, and the detail in words."""


class Rule(NamedTuple):
    """One reason to hold a member back: `holds` returns the detail in words, or None when the rule is kept."""

    reason: SuppressionReason
    holds: Callable[[Case], str | None]


def screen(case: Case) -> tuple[Hold, ...]:
    """Return every (reason, detail) that holds the member back, in the order of the contract; empty means go on."""
    return tuple((rule.reason, detail) for rule in RULES if (detail := rule.holds(case)) is not None)


def _opt_out(case: Case) -> str | None:
    usage = case.usage
    if usage.suppressed:
        return "the member is on the suppression list"
    if usage.domain_refused:
        return f"the member wants no {case.domain} offers (preferences)"
    if usage.paused_until is not None:
        return f"the member paused offers until {usage.paused_until.isoformat()} (preferences)"
    return None if case.member.opt_in_marketing is True else "the member has not opted in to marketing"


def _confidence(case: Case) -> str | None:
    least = case.limits.min_confidence
    return f"confidence {case.confidence:g} is below {least:g}" if case.confidence < least else None


def _monthly(case: Case) -> str | None:
    most = case.limits.max_offers_per_month
    return f"{case.used_this_month} of {most} offers this month are used" if case.used_this_month >= most else None


def _category(case: Case) -> str | None:
    days, least = case.days_since_category_offer, case.limits.category_cooldown_days
    return f"{days} days since the last {case.domain} offer; at least {least} are needed" if days < least else None


def _decline(case: Case) -> str | None:
    days, least = case.days_since_category_decline, case.limits.decline_cooldown_days
    return f"{days} days since a declined {case.domain} offer; at least {least} are needed" if days < least else None


def _high_value(case: Case) -> str | None:
    high = case.menu is not None and any(
        float(option.expected_cost_usd) >= case.limits.high_value_usd for option in case.menu.options
    )
    used, most = case.high_value_this_quarter, case.limits.max_high_value_per_quarter
    return f"{used} of {most} high-value {case.domain} offers this quarter are used" if high and used >= most else None


def _multipliers(case: Case) -> str | None:
    offered = case.menu is not None and any(o.offer_type == "points_multiplier" for o in case.menu.options)
    used, most = case.multipliers_this_month, case.limits.max_multipliers_per_month
    return f"{used} of {most} multiplier offers this month are active" if offered and used >= most else None


def _credits(case: Case) -> str | None:
    most, largest, used = case.limits.max_credits_per_year_usd, case.largest_credit_usd, case.credits_this_year_usd
    if most is None or not largest or used + largest <= most:
        return None
    return f"${used:g} of ${most:g} {case.domain} credits this year are used"


def _spend(case: Case) -> str | None:
    spend, least = case.signals.average_monthly_spend_usd, case.limits.min_average_monthly_spend_usd
    return f"average monthly spend is below ${least:g}" if spend is not None and spend < least else None


def _age(case: Case) -> str | None:
    age, least = case.signals.account_age_days, case.limits.min_account_age_days
    return f"the account is younger than {least} days" if age is not None and age < least else None


def _standing(case: Case) -> str | None:
    return None if case.account_standing_attested else "nobody attests account_standing today (setting ATTESTATIONS)"


def _sleeping(case: Case) -> str | None:
    return "contact is likely to do harm (sleeping dog)" if case.signals.archetype == "sleeping_dog" else None


def _holdout(case: Case) -> str | None:
    return "the member is in the campaign's holdout" if case.holdout else None


def _option(case: Case) -> str | None:
    if case.menu is None and case.signals.card_type is not None and case.signals.archetype != "sleeping_dog":
        return f"no option for {case.domain} and this card"
    return "fewer than two partner merchants fit" if case.menu is not None and case.candidates < 2 else None


def _quality(case: Case) -> str | None:
    needed = {
        "card_type": case.signals.card_type,
        "offers_sent_this_month": case.member.offers_sent_this_month,
        "days_since_last_offer": case.member.days_since_last_offer,
        "total_spend_12m": case.member.total_spend_12m,
        "card_activation_date": case.signals.account_age_days,
    }
    unknown = [name for name, value in needed.items() if value is None]
    details = [f"unknown: {', '.join(unknown)}"] if unknown else []
    if case.unattested:
        details.append(f"nobody attests {', '.join(case.unattested)} today (setting ATTESTATIONS)")
    return "; ".join(details) or None


RULES: Final[tuple[Rule, ...]] = (
    Rule("marketing_opt_out", _opt_out),
    Rule("low_confidence", _confidence),
    Rule("monthly_cap", _monthly),
    Rule("category_cooldown", _category),
    Rule("decline_cooldown", _decline),
    Rule("high_value_quarter_cap", _high_value),
    Rule("multiplier_cap", _multipliers),
    Rule("annual_credit_cap", _credits),
    Rule("spend_floor", _spend),
    Rule("account_age", _age),
    Rule("account_status_unknown", _standing),
    Rule("sleeping_dog", _sleeping),
    Rule("holdout", _holdout),
    Rule("no_eligible_option", _option),
    Rule("data_quality", _quality),
)
"""In the order of the contract; `budget_exhausted` is decided later, when money is reserved for the chosen option."""
