"""Who must not get an offer now, and why: one table of rules, no model, zero tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from tools.signals import Signals
from tools.terms import Menu
from tools.vocabulary import Domain, SuppressionReason

if TYPE_CHECKING:
    from tools.cardmembers import Cardmember

Hold = tuple[SuppressionReason, str]
"""A reason to hold a member back, and the detail in words."""

NEVER: Final = 99_999
"""Days since an event that never happened."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the ledger counts for one member: issued offers since the warehouse's snapshot, and open reservations.

    Months, quarters and years are calendar ones in the brand's time zone; pending are unexpired reservations of other
    predictions. `budgeted` says whether the campaign has a budget to reserve from.
    """

    issued_this_month: int = 0
    pending: int = 0
    pending_in_domain: int = 0
    days_since_domain_offer: int = NEVER
    days_since_domain_decline: int = NEVER
    high_value_this_quarter: int = 0
    multipliers_this_month: int = 0
    credits_this_year_usd: float = 0.0
    suppressed: bool = False
    budgeted: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers screening holds members to: the stricter of policy and setting."""

    min_confidence: float
    max_offers_per_month: int
    category_cooldown_days: int
    decline_cooldown_days: int
    max_high_value_per_quarter: int
    high_value_usd: float
    max_multipliers_per_month: int
    max_credits_per_year_usd: float | None
    min_average_monthly_spend_usd: float
    min_account_age_days: int


@dataclass(frozen=True, slots=True)
class Case:
    """Everything screening may look at for one prediction."""

    member: "Cardmember"
    signals: Signals
    usage: Usage
    limits: Limits
    domain: Domain
    confidence: float
    menu: Menu | None
    candidates: int
    account_standing_attested: bool
    today: date
    holdout: bool = False

    @property
    def used_this_month(self) -> int:
        """Return the warehouse's count at its snapshot plus what the ledger issued or reserved since."""
        return (self.member.offers_sent_this_month or 0) + self.usage.issued_this_month + self.usage.pending

    @property
    def days_since_category_offer(self) -> int:
        """Return days since the last offer in this domain; an undated domain counts as this one, as unknown holds."""
        if self.usage.pending_in_domain:
            return 0
        days, last = self.member.days_since_last_offer, self.member.last_offer_domain
        warehouse = NEVER if days is None or (last and last != self.domain) else days
        return min(warehouse, self.usage.days_since_domain_offer)

    @property
    def days_since_category_decline(self) -> int:
        """Return days since a recorded decline in this domain."""
        member = self.member
        declined = member.last_offer_accepted is False and member.last_offer_domain == self.domain
        days = member.days_since_last_offer if declined and member.days_since_last_offer is not None else NEVER
        return min(days, self.usage.days_since_domain_decline)

    def facts(self) -> dict[str, object]:
        """Return the decision facts the gate's member clauses read; an unknown fact is left out."""
        known: dict[str, object | None] = {
            "card_type": self.signals.card_type,
            "annual_fee": self.member.annual_fee,
            "opt_in_marketing": self.member.opt_in_marketing,
            "email_opt_out": self.usage.suppressed or self.member.opt_in_marketing is False,
            "offers_this_month": self.used_this_month,
            "max_offers_per_month": self.limits.max_offers_per_month,
            "days_since_category_offer": self.days_since_category_offer,
            "days_since_category_decline": self.days_since_category_decline,
            "high_value_offers_quarter": self.usage.high_value_this_quarter,
            "active_multiplier_offers": self.usage.multipliers_this_month,
            "credits_this_year_usd": self.usage.credits_this_year_usd,
            "average_monthly_spend_usd": self.signals.average_monthly_spend_usd,
            "account_age_days": self.signals.account_age_days,
            "confidence_score": self.confidence,
            "min_confidence_score": self.limits.min_confidence,
            "offer_flag": 1,
        }
        return {name: value for name, value in known.items() if value is not None}


class Rule(NamedTuple):
    """One reason to hold a member back: `holds` returns the detail in words, or None when the rule is kept."""

    reason: SuppressionReason
    holds: Callable[[Case], str | None]


def screen(case: Case) -> tuple[Hold, ...]:
    """Return every (reason, detail) that holds the member back, in the order of the contract; empty means go on."""
    return tuple((rule.reason, detail) for rule in RULES if (detail := rule.holds(case)) is not None)


def _opt_out(case: Case) -> str | None:
    if case.usage.suppressed:
        return "the member is on the suppression list"
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
    used, most = case.usage.high_value_this_quarter, case.limits.max_high_value_per_quarter
    return f"{used} of {most} high-value {case.domain} offers this quarter are used" if high and used >= most else None


def _multipliers(case: Case) -> str | None:
    offered = case.menu is not None and any(o.offer_type == "points_multiplier" for o in case.menu.options)
    used, most = case.usage.multipliers_this_month, case.limits.max_multipliers_per_month
    return f"{used} of {most} multiplier offers this month are active" if offered and used >= most else None


def _credits(case: Case) -> str | None:
    most = case.limits.max_credits_per_year_usd
    if most is None or case.menu is None:
        return None
    largest = max(
        (float(o.reward_value or 0) for o in case.menu.options if o.offer_type == "statement_credit"), default=0
    )
    used = case.usage.credits_this_year_usd
    return (
        f"${used:g} of ${most:g} {case.domain} credits this year are used"
        if largest and used + largest > most
        else None
    )


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
    return f"unknown: {', '.join(unknown)}" if unknown else None


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
