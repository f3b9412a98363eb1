"""What `policies/ladders.yaml` says: rungs per domain and strategy, and the assumptions that price them."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.economics import Basis
from tools.vocabulary import (
    ARCHETYPES,
    CARD_TYPES,
    DOMAINS,
    STRATEGIES,
    Archetype,
    CapUnit,
    CardType,
    Channel,
    Domain,
    OfferType,
    Strategy,
)

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

Share = Annotated[Decimal, Field(gt=0, le=1)]


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
    """Share of members who use an offer, by archetype: all four, so that leaving sleeping dogs alone is priced too."""

    value: dict[Archetype, Share]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        return _all_of(self, ARCHETYPES, self.value)


class Tipping(Assumption):
    """Reward at which an offer has all its effect, as a share of the expected spend, by strategy."""

    value: dict[Strategy, Share]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        return _all_of(self, STRATEGIES, self.value)


class ExpectedSpend(Assumption):
    """US dollars a member who takes the offer spends with its merchants, by domain and card."""

    value: dict[Domain, dict[CardType, Positive]]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for domain in DOMAINS:
            _all_of(self, CARD_TYPES, self.value.get(domain, {}), of=f" of {domain}")
        return self


class Assumptions(_Closed):
    """The named assumptions behind every expected cost and value."""

    point_value_usd: Scalar
    access_cost_usd: Scalar
    access_worth_share: Scalar
    take_up: TakeUp
    take_up_without: TakeUp
    tipping_share: Tipping
    expected_spend_usd: ExpectedSpend
    incremental_spend_multiple: Scalar
    margin: Scalar

    def basis(self, domain: Domain, card_type: CardType, archetype: Archetype, *, version: str) -> Basis:
        """Return the assumptions that price offers of this domain and card to members of this archetype."""
        return Basis(
            version=version,
            point_value_usd=self.point_value_usd.value,
            access_cost_usd=self.access_cost_usd.value,
            access_worth_share=self.access_worth_share.value,
            take_up=self.take_up.value[archetype],
            take_up_without=self.take_up_without.value[archetype],
            tipping_share=None if archetype == "sleeping_dog" else self.tipping_share.value[archetype],
            expected_spend_usd=self.expected_spend_usd.value[domain][card_type],
            incremental_spend_multiple=self.incremental_spend_multiple.value,
            margin=self.margin.value,
        )


AssumptionT = TypeVar("AssumptionT", bound=Assumption)


def _all_of(read: AssumptionT, wanted: Sequence[str], given: Collection[str], *, of: str = "") -> AssumptionT:
    if missing := [name for name in wanted if name not in given]:
        raise ValueError(f"no value for {', '.join(missing)}{of}; add it")
    return read


class Common(_Closed):
    """What all options share unless a rung says otherwise."""

    base_rate: Positive
    exclusions: tuple[str, ...] = Field(min_length=1)
    access_exclusions: tuple[str, ...] = Field(min_length=1)
    fulfillment_weeks: tuple[int, int]

    def exclusions_of(self, offer_type: OfferType) -> tuple[str, ...]:
        """Return what offers of the type don't apply to: early access rewards no purchase, so its list is its own."""
        return self.access_exclusions if offer_type == "exclusive_access" else self.exclusions


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
