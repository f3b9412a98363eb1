"""What behaviour says: 40 columns in, bands, insights and a treatment archetype out. No protected column is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, cast

from tools.views import DomainInterest, Engagement, MemberView, SpendTrend, TenureBand
from tools.vocabulary import Archetype, CardType, Domain

if TYPE_CHECKING:
    from tools.cardmembers import Cardmember

MONTHS_OF_COUNTS: Final = 3
"""App and offer counts span 90 days; the thresholds of the engagement bands are per month."""

TREND_BAND: Final = 0.10
STRONG_ACCEPTANCE: Final = 0.50
SELECTIVE_ACCEPTANCE: Final = 0.20
SELECTIVE_MIN_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Signals:
    """Numbers and bands of one cardmember. Internal: they feed screening and the view, never a prompt.

    `average_monthly_spend_usd` is 12-month spend / 12; `account_age_days` is None when neither an activation date nor a
    tenure is known; `quality` names what the row leaves open or contradicts.
    """

    card_type: CardType | None
    spend_trend: SpendTrend
    engagement: Engagement
    tenure_band: TenureBand
    preferred_domains: frozenset[str]
    acceptance: str
    archetype: Archetype
    average_monthly_spend_usd: float | None
    account_age_days: int | None
    quality: tuple[str, ...]

    def bands(self) -> dict[str, str]:
        """Return the bands in words, for the record of a decision."""
        return {
            "spend_trend": self.spend_trend,
            "engagement": self.engagement,
            "tenure": self.tenure_band,
            "acceptance": self.acceptance,
            "archetype": self.archetype,
        }

    def interest(self, domain: Domain) -> DomainInterest:
        """Return whether the domain is one of the member's preferred ones."""
        return "preferred" if domain in self.preferred_domains else "other"

    def view(self, domain: Domain) -> MemberView | None:
        """Return all a prompt may see, or None when the card tier is unknown or the archetype must not be treated."""
        if self.card_type is None or self.archetype == "sleeping_dog":
            return None
        return MemberView(
            domain=domain,
            card_type=self.card_type,
            strategy=self.archetype,
            spend_trend=self.spend_trend,
            engagement=self.engagement,
            domain_interest=self.interest(domain),
            tenure_band=self.tenure_band,
        )


def read_signals(member: "Cardmember", today: date) -> Signals:
    """Reduce a cardmember to signals, as `facts/cardmember_columns.md` and the issuer's rule defaults define them."""
    quality = list(_quality(member))
    trend = _trend(member.spend_change_pct_90d)
    engagement = _engagement(member.total_app_opens_90d, member.offer_clicks_90d)
    acceptance = _acceptance(member.historical_acceptance_rate, member.offers_shown_6m)
    spend = member.total_spend_12m
    return Signals(
        card_type=_card_type(member.card_type),
        spend_trend=trend,
        engagement=engagement,
        tenure_band=_tenure(member.tenure_years),
        preferred_domains=frozenset(d for d in (member.preferred_domain_1, member.preferred_domain_2) if d),
        acceptance=acceptance,
        archetype=archetype(trend, engagement, acceptance, accepted_last=member.last_offer_accepted),
        average_monthly_spend_usd=None if spend is None else spend / 12,
        account_age_days=_age_days(member.card_activation_date, member.tenure_years, today),
        quality=tuple(quality),
    )


def archetype(
    trend: SpendTrend, engagement: Engagement, acceptance: str, *, accepted_last: bool | None = None
) -> Archetype:
    """Sort a member into an uplift archetype (Kane, Lo, Zheng 2014 name the four). A heuristic, not causal inference.

    Engaged members who take most offers act anyway (sure thing); disengaged ones who decline and spend less are better
    left alone (sleeping dog); disengaged ones who merely decline are a lost cause; everybody else can be persuaded.
    """
    if acceptance == "strong" and engagement != "low" and trend != "decreasing":
        return "sure_thing"
    if engagement == "low" and acceptance == "selective":
        return "sleeping_dog" if trend == "decreasing" and accepted_last is False else "lost_cause"
    return "persuadable"


def insights(signals: Signals, domain: Domain) -> tuple[str, ...]:
    """Say in words what the signals show: no amount, count or date."""
    lines = [_TREND_WORDS[signals.spend_trend], _ENGAGEMENT_WORDS[signals.engagement]]
    if signals.interest(domain) == "preferred":
        lines.append(f"{domain} is one of the member's preferred categories.")
    lines.append(_ACCEPTANCE_WORDS[signals.acceptance])
    lines.append(_TENURE_WORDS[signals.tenure_band])
    return tuple(lines)


_TREND_WORDS: Mapping[SpendTrend, str] = {
    "decreasing": "Card spending has been easing over the last quarter.",
    "stable": "Card spending has been steady over the last quarter.",
    "increasing": "Card spending has been growing over the last quarter.",
}
_ENGAGEMENT_WORDS: Mapping[Engagement, str] = {
    "low": "The member rarely opens the app or follows offers.",
    "medium": "The member opens the app and follows offers now and then.",
    "high": "The member uses the app and follows offers often.",
}
_ACCEPTANCE_WORDS: Mapping[str, str] = {
    "strong": "The member takes most of the offers shown.",
    "moderate": "The member takes some of the offers shown.",
    "selective": "The member is selective about offers.",
    "unknown": "There is too little history to say how offers are received.",
}
_TENURE_WORDS: Mapping[TenureBand, str] = {
    "new": "The account is new.",
    "established": "The account is established.",
    "long_standing": "The account is long-standing.",
}


def _card_type(value: str | None) -> CardType | None:
    lowered = (value or "").lower()
    return cast(CardType, lowered) if lowered in ("basic", "gold", "platinum") else None


def _trend(change: float | None) -> SpendTrend:
    if change is None or -TREND_BAND <= change <= TREND_BAND:
        return "stable"
    return "increasing" if change > 0 else "decreasing"


def _engagement(opens: int | None, clicks: int | None) -> Engagement:
    monthly_opens, monthly_clicks = (opens or 0) / MONTHS_OF_COUNTS, (clicks or 0) / MONTHS_OF_COUNTS
    if monthly_opens >= 20 and monthly_clicks >= 5:
        return "high"
    return "medium" if monthly_opens >= 10 and monthly_clicks >= 2 else "low"


def _tenure(years: int | None) -> TenureBand:
    if years is None or years < 2:
        return "new"
    return "established" if years < 8 else "long_standing"


def _acceptance(rate: float | None, shown: int | None) -> str:
    if rate is None or not shown:
        return "unknown"
    if rate > STRONG_ACCEPTANCE:
        return "strong"
    return "selective" if rate < SELECTIVE_ACCEPTANCE and shown > SELECTIVE_MIN_SHOWN else "moderate"


def _age_days(activated: date | None, tenure_years: int | None, today: date) -> int | None:
    if activated is not None:
        return (today - activated).days
    return None if tenure_years is None else tenure_years * 365


def _quality(member: "Cardmember") -> list[str]:
    notes = [f"{column} is null" for column in _READ if getattr(member, column) is None]
    if not member.total_transactions_12m and (member.total_spend_12m or 0) > 0:
        notes.append("total_spend_12m is positive with zero transactions")
    if member.last_offer_accepted is False and not member.last_offer_domain:
        notes.append("last offer was not accepted and has no domain; not counted as a decline of this category")
    return notes


_READ: Final = ("card_type", "tenure_years", "total_spend_12m", "spend_change_pct_90d", "total_app_opens_90d",
                "offer_clicks_90d", "historical_acceptance_rate", "offers_shown_6m", "days_since_last_offer",
                "offers_sent_this_month", "opt_in_marketing")  # fmt: skip
