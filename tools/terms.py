"""What an offer promises: menu options, and the terms code computes from a chosen one."""

from datetime import date
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.economics import Basis
from tools.vocabulary import (
    REWARD_UNIT_OF,
    CapUnit,
    CardType,
    Channel,
    Domain,
    MerchantType,
    OfferType,
    RewardUnit,
)


class Merchant(BaseModel):
    """A partner merchant as an offer names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    merchant_id: str
    merchant_name: str
    merchant_category: str
    merchant_type: MerchantType


class Reward(BaseModel):
    """What menu options and terms share: value, limits and conditions. Money is Decimal US dollars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    option_id: str
    offer_type: OfferType
    reward_value: Decimal | None = Field(description="3 for 3X, 25 for $25, 10 for 10 %; None for exclusive access.")
    reward_unit: RewardUnit
    base_rate: Decimal | None = Field(default=None, description="Points per dollar the card earns without the offer.")
    point_value_usd: Decimal | None = Field(default=None, description="Redemption value of a point, used for cost.")
    minimum_spend: Decimal | None = None
    reward_cap: Decimal | None = None
    reward_cap_unit: CapUnit | None = None
    expiration_days: int = Field(ge=30, le=60)
    requires_enrollment: bool
    channel: Channel = "any"
    exclusions: tuple[str, ...] = ()
    one_per_member: bool = True
    max_redemptions: int | None = None
    fulfillment_weeks: tuple[int, int] | None = None
    expected_cost_usd: Decimal = Field(description="Record only; never shown to a member or a model.")
    incremental_value_usd: Decimal | None = Field(
        default=None, description="Record only, no fact of any clause; None in records from before it was modelled."
    )

    @model_validator(mode="after")
    def _pairs_agree(self) -> Self:
        if REWARD_UNIT_OF[self.offer_type] != self.reward_unit:
            raise ValueError(
                f"reward_unit: {self.offer_type} pays in {REWARD_UNIT_OF[self.offer_type]}, got {self.reward_unit}"
            )
        if (self.reward_value is None) != (self.reward_unit == "none"):
            raise ValueError(f"reward_value: {self.reward_value!r} does not go with reward_unit {self.reward_unit}")
        if (self.reward_cap is None) != (self.reward_cap_unit is None):
            raise ValueError("reward_cap and reward_cap_unit go together")
        return self


class MenuOption(Reward):
    """One option code offers a model to choose from."""

    enroll_within_days: int | None = Field(default=None, description="Days after the start by which to enrol.")


class Menu(BaseModel):
    """The options for one (domain, card type, strategy): a pure function of these and the policy set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: Domain
    card_type: CardType
    options: tuple[MenuOption, ...] = Field(min_length=1)
    basis: Basis | None = Field(default=None, description="What the options' costs and values rest on. Record only.")

    def option(self, option_id: str) -> MenuOption | None:
        """Return the option of that id, or None when it isn't on the menu."""
        return next((option for option in self.options if option.option_id == option_id), None)


class OfferTerms(Reward):
    """The whole promise of one offer. Dates are inclusive days in the brand's time zone."""

    domain: Domain
    start_date: date
    end_date: date
    enroll_by: date | None
    merchants: tuple[Merchant, ...] = Field(min_length=2, max_length=4)
    eligible_card_types: tuple[CardType, ...]

    def facts(self) -> dict[str, object]:
        """Return the one projection clauses see: floats, ISO strings and merchant names, absent fields left out."""
        plain = {
            "offer_type": self.offer_type,
            "reward_value": _number(self.reward_value),
            "reward_unit": self.reward_unit,
            "base_rate": _number(self.base_rate),
            "point_value_usd": _number(self.point_value_usd),
            "minimum_spend": _number(self.minimum_spend),
            "reward_cap": _number(self.reward_cap),
            "reward_cap_unit": self.reward_cap_unit,
            "start_date": self.start_date.isoformat(),
            "end_date": self.end_date.isoformat(),
            "enroll_by": self.enroll_by.isoformat() if self.enroll_by else None,
            "expiration_days": self.expiration_days,
            "requires_enrollment": self.requires_enrollment,
            "channel": self.channel,
            "domain": self.domain,
            "merchants": [merchant.merchant_name for merchant in self.merchants],
            "merchant_ids": [merchant.merchant_id for merchant in self.merchants],
            "eligible_card_types": list(self.eligible_card_types),
            "exclusions": list(self.exclusions),
            "one_per_member": self.one_per_member,
            "max_redemptions": self.max_redemptions,
            "fulfillment_weeks": list(self.fulfillment_weeks) if self.fulfillment_weeks else None,
            "expected_cost_usd": float(self.expected_cost_usd),
        }
        return {name: value for name, value in plain.items() if value is not None}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
