"""What `policies/ladders.yaml` says: rungs per domain and strategy, and the assumptions that price them."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.vocabulary import CapUnit, CardType, Channel, Domain, OfferType, Strategy

LimitName = Literal[
    "max_multiplier",
    "max_percent_back",
    "min_minimum_spend",
    "max_minimum_spend",
    "max_reward_cap_usd_spend",
    "max_bonus_points",
    "max_statement_credit_usd",
    "min_validity_days",
    "max_validity_days",
]
"""The limits of policies that bound a menu."""

Positive = Annotated[Decimal, Field(gt=0)]
Amount = Positive | LimitName
PerCard = Amount | dict[CardType, Amount]

CENT: Final = Decimal("0.01")


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Assumption(_Closed):
    """What every assumption states beside its value: the unit and where it comes from."""

    unit: str = Field(min_length=1)
    source: str = Field(min_length=1)


class Scalar(Assumption):
    """One number for all offers."""

    value: Positive


class TakeUp(Assumption):
    """Share of members who use an offer, by strategy."""

    value: dict[Strategy, Annotated[Decimal, Field(gt=0, le=1)]]


class ExpectedSpend(Assumption):
    """US dollars a member who takes the offer spends with its merchants, by domain and card."""

    value: dict[Domain, dict[CardType, Positive]]


class Assumptions(_Closed):
    """The named assumptions behind every expected cost."""

    point_value_usd: Scalar
    access_cost_usd: Scalar
    take_up: TakeUp
    expected_spend_usd: ExpectedSpend


class Common(_Closed):
    """What all options share unless a rung says otherwise."""

    base_rate: Positive
    exclusions: tuple[str, ...] = Field(min_length=1)
    fulfillment_weeks: tuple[int, int]


class Rung(_Closed):
    """One step of a ladder. An amount is a number or a limit's name, for all cards or per card.

    A card that `value` leaves out doesn't get the rung. `enroll_within_days` makes enrolment required.
    """

    id: str = Field(pattern=r"^[a-z]+(_[a-z]+)*$")
    offer_type: OfferType
    value: PerCard | None = None
    cards: tuple[CardType, ...] | None = None
    minimum_spend: PerCard | None = None
    reward_cap: PerCard | None = None
    reward_cap_unit: CapUnit | None = None
    days: int
    enroll_within_days: int | None = Field(default=None, gt=0)
    channel: Channel = "any"
    fulfillment_weeks: tuple[int, int] | None = None
    max_redemptions: int | None = Field(default=None, gt=0)

    def is_for(self, card_type: CardType) -> bool:
        """Tell whether a card of that type gets this rung."""
        if self.cards is not None and card_type not in self.cards:
            return False
        return not isinstance(self.value, dict) or card_type in self.value


class LadderFile(_Closed):
    """The whole of `policies/ladders.yaml`."""

    version: str
    assumptions: Assumptions
    common: Common
    ladders: dict[Domain, dict[Strategy, tuple[Rung, ...]]]


def expected_cost_usd(
    assumptions: Assumptions,
    *,
    offer_type: OfferType,
    domain: Domain,
    card_type: CardType,
    strategy: Strategy,
    reward_value: Decimal | None,
    base_rate: Decimal | None,
    reward_cap: Decimal | None,
    reward_cap_unit: CapUnit | None,
) -> Decimal:
    """Return what one sent offer is expected to cost, in US dollars and cents.

    cost = cost of one use x take_up[strategy], with spend = expected_spend_usd[domain][card] and, of one use,

    - points_multiplier: (reward_value - base_rate) x point_value_usd x min(spend, cap in usd_spend), at most
      cap in points x point_value_usd (points at the base rate are paid anyway)
    - cashback, discount: min(reward_value / 100 x min(spend, cap in usd_spend), cap in usd)
    - statement_credit: reward_value
    - exclusive_access: access_cost_usd
    """
    spend = assumptions.expected_spend_usd.value[domain][card_type]
    if reward_cap is not None and reward_cap_unit == "usd_spend":
        spend = min(spend, reward_cap)
    if offer_type == "exclusive_access" or reward_value is None:
        use = assumptions.access_cost_usd.value
    elif offer_type == "points_multiplier":
        points = (reward_value - (base_rate or 0)) * spend
        if reward_cap is not None and reward_cap_unit == "points":
            points = min(points, reward_cap)
        use = points * assumptions.point_value_usd.value
    elif offer_type == "statement_credit":
        use = reward_value
    else:
        use = reward_value / 100 * spend
        if reward_cap is not None and reward_cap_unit == "usd":
            use = min(use, reward_cap)
    return (use * assumptions.take_up.value[strategy]).quantize(CENT)
