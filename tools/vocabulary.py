"""The closed sets every other module speaks in."""

from typing import Final, Literal, get_args

Domain = Literal["Travel", "Dining", "Electronics", "Business Services", "Retail", "Entertainment"]
CardType = Literal["basic", "gold", "platinum"]
Strategy = Literal["persuadable", "sure_thing", "lost_cause"]
Archetype = Literal["persuadable", "sure_thing", "lost_cause", "sleeping_dog"]
OfferType = Literal["points_multiplier", "statement_credit", "cashback", "discount", "exclusive_access"]
RewardUnit = Literal["X_points", "usd", "percent", "none"]
CapUnit = Literal["usd", "usd_spend", "points"]
Channel = Literal["any", "online_only", "in_store_only"]
DeliveryChannel = Literal["push", "sms", "in_app"]
"""How an offer reaches a member beside the email; `Channel` is where its purchases count."""
Delivery = Literal["email", "push", "sms", "in_app"]
MerchantType = Literal["online", "in-store", "both"]
CopyField = Literal["subject", "preheader", "headline", "body", "cta"]
CopySource = Literal["model", "blocks", "fallback", "human"]
CopyMode = Literal["select", "compose"]
Mode = Literal["issue", "preview"]

SuppressionReason = Literal[
    "marketing_opt_out",
    "low_confidence",
    "monthly_cap",
    "category_cooldown",
    "decline_cooldown",
    "high_value_quarter_cap",
    "multiplier_cap",
    "annual_credit_cap",
    "spend_floor",
    "account_age",
    "account_status_unknown",
    "sleeping_dog",
    "holdout",
    "budget_exhausted",
    "no_eligible_option",
    "data_quality",
]
"""Why policy holds a member back. The first that applies, in this order, is the reason; all are in the detail."""

DOMAINS: Final[tuple[Domain, ...]] = get_args(Domain)
CARD_TYPES: Final[tuple[CardType, ...]] = get_args(CardType)
STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)
ARCHETYPES: Final[tuple[Archetype, ...]] = get_args(Archetype)
OFFER_TYPES: Final[tuple[OfferType, ...]] = get_args(OfferType)
DELIVERY_CHANNELS: Final[tuple[DeliveryChannel, ...]] = get_args(DeliveryChannel)
COPY_FIELDS: Final[tuple[CopyField, ...]] = get_args(CopyField)

REWARD_UNIT_OF: Final[dict[OfferType, RewardUnit]] = {
    "points_multiplier": "X_points",
    "statement_credit": "usd",
    "cashback": "percent",
    "discount": "percent",
    "exclusive_access": "none",
}
"""The unit an offer type pays in; any other pair is refused."""
