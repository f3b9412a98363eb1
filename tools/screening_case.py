"""What screening judges: a member, what the ledger counts for them, and the numbers they are held to."""

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from tools.signals import Signals
from tools.terms import Menu
from tools.vocabulary import Domain

if TYPE_CHECKING:
    from tools.cardmembers import Cardmember

NEVER: Final = 99_999
"""Days since an event that never happened."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the ledger counts for one member: issued offers since the warehouse's snapshot, and open reservations.

    Days, months, quarters and years are calendar ones in the brand's time zone; pending are unexpired reservations of
    other predictions. `snapshot_is_current` says whether the warehouse's snapshot is of this month (unknown counts as
    yes). `suppressed`, `domain_refused` and `paused_until` (the first day that may bring offers again) are what the
    member or an officer said about offers.
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
    domain_refused: bool = False
    paused_until: date | None = None
    snapshot_is_current: bool = True

    @property
    def opted_out(self) -> bool:
        """Return whether the member wants no such offer now."""
        return self.suppressed or self.domain_refused or self.paused_until is not None

    def without_pending(self) -> "Usage":
        """Return what is certain: the same, as if every open reservation ended without an offer."""
        return replace(self, pending=0, pending_in_domain=0)


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
    unattested: tuple[str, ...] = ()
    """Facts other than the accounts' standing that a policy asks a person for, and nobody vouches for today."""

    @property
    def used_this_month(self) -> int:
        """Return the warehouse's count at its snapshot plus what the ledger issued or reserved since.

        The count of an earlier month's snapshot says nothing about this month.
        """
        counted = self.member.offers_sent_this_month or 0 if self.usage.snapshot_is_current else 0
        return counted + self.usage.issued_this_month + self.usage.pending

    @property
    def multipliers_this_month(self) -> int:
        """Return the multiplier offers issued, and those that open reservations of any domain may become."""
        return self.usage.multipliers_this_month + self.usage.pending

    @property
    def high_value_this_quarter(self) -> int:
        """Return the domain's high-value offers issued, and those that its open reservations may become."""
        return self.usage.high_value_this_quarter + self.usage.pending_in_domain

    @property
    def credits_this_year_usd(self) -> float:
        """Return the domain's credits issued in USD, each open reservation counted as the largest credit on offer."""
        return self.usage.credits_this_year_usd + self.usage.pending_in_domain * self.largest_credit_usd

    @property
    def largest_credit_usd(self) -> float:
        """Return the largest statement credit on the menu in USD, 0 when it has none."""
        options = () if self.menu is None else self.menu.options
        return max((float(o.reward_value or 0) for o in options if o.offer_type == "statement_credit"), default=0.0)

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
            "email_opt_out": self.usage.opted_out or self.member.opt_in_marketing is False,
            "offers_this_month": self.used_this_month,
            "max_offers_per_month": self.limits.max_offers_per_month,
            "days_since_category_offer": self.days_since_category_offer,
            "days_since_category_decline": self.days_since_category_decline,
            "high_value_offers_quarter": self.high_value_this_quarter,
            "active_multiplier_offers": self.multipliers_this_month,
            "credits_this_year_usd": self.credits_this_year_usd,
            "average_monthly_spend_usd": self.signals.average_monthly_spend_usd,
            "account_age_days": self.signals.account_age_days,
            "confidence_score": self.confidence,
            "min_confidence_score": self.limits.min_confidence,
            "offer_flag": 1,
        }
        return {name: value for name, value in known.items() if value is not None}
