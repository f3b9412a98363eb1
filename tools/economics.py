"""What one sent offer is expected to cost and to bring in, from the named assumptions of `policies/ladders.yaml`.

Both are planning figures for finance and analysts. No clause, prompt or member sees what an offer is worth.
"""

from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from tools.vocabulary import CapUnit, OfferType

CENT: Final = Decimal("0.01")
HUNDRED: Final = Decimal(100)


class Promise(Protocol):
    """What pricing reads of an offer; menu options and terms both have it."""

    @property
    def offer_type(self) -> OfferType:
        """Return how the offer pays."""

    @property
    def reward_value(self) -> Decimal | None:
        """Return 3 for 3X, 25 for $25, 10 for 10 %; None for exclusive access."""

    @property
    def base_rate(self) -> Decimal | None:
        """Return the points per dollar that are paid anyway."""

    @property
    def reward_cap(self) -> Decimal | None:
        """Return the most that is paid, in `reward_cap_unit`."""

    @property
    def reward_cap_unit(self) -> CapUnit | None:
        """Return what the cap counts."""


class Basis(BaseModel):
    """The assumptions that price one menu; `ladders.yaml` gives unit and source of each under the same name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(description="Version of ladders.yaml.")
    point_value_usd: Decimal
    access_cost_usd: Decimal
    access_worth_share: Decimal
    take_up: Decimal
    take_up_without: Decimal
    tipping_share: Decimal | None
    """None where contact does harm whatever is offered: generosity changes nothing."""
    expected_spend_usd: Decimal
    incremental_spend_multiple: Decimal
    margin: Decimal


class Outlook(NamedTuple):
    """What one sent offer is expected to do. Money in US dollars and cents."""

    take_up: Decimal
    """Share of members sent this offer who use it, 0 to 1."""
    cost_usd: Decimal
    value_usd: Decimal

    @property
    def net_usd(self) -> Decimal:
        """Return value less cost."""
        return self.value_usd - self.cost_usd


def outlook(promise: Promise, basis: Basis) -> Outlook:
    """Return take-up, expected cost and modelled incremental value of one sent offer.

    - take-up = take_up_without + uplift x reach, with uplift = take_up - take_up_without, and
      reach = min(1, worth of one use as a share of expected_spend_usd / tipping_share): more than what tips the choice
      adds nothing. Early access is worth access_worth_share, any reward its cost. Without tipping_share, reach is 1.
    - cost = cost of one use x take-up: whoever would have bought anyway is paid too
    - incremental value = uplift x reach x expected_spend_usd x incremental_spend_multiple x margin: only what the offer
      changes counts

    Uplift by archetype is a rule-based planning estimate after the uplift taxonomy (persuadables, sure things, lost
    causes, sleeping dogs; Kane, Lo, Zheng 2014), not measured causal effect.
    """
    uplift = (basis.take_up - basis.take_up_without) * _reach(promise, basis)
    take_up = basis.take_up_without + uplift
    new_spend = basis.expected_spend_usd * basis.incremental_spend_multiple
    return Outlook(
        take_up=take_up,
        cost_usd=(use_cost_usd(promise, basis) * take_up).quantize(CENT),
        value_usd=(uplift * new_spend * basis.margin).quantize(CENT),
    )


def use_cost_usd(promise: Promise, basis: Basis) -> Decimal:
    """Return what one use of the offer costs, in US dollars. With spend = expected_spend_usd:

    - points_multiplier: (reward_value - base_rate) x point_value_usd x min(spend, cap in usd_spend), at most
      cap in points x point_value_usd (points at the base rate are paid anyway)
    - cashback, discount: min(reward_value / 100 x min(spend, cap in usd_spend), cap in usd)
    - statement_credit: reward_value
    - exclusive_access: access_cost_usd
    """
    value, cap, unit = promise.reward_value, promise.reward_cap, promise.reward_cap_unit
    if promise.offer_type == "exclusive_access" or value is None:
        return basis.access_cost_usd
    if promise.offer_type == "statement_credit":
        return value
    spend = basis.expected_spend_usd
    if cap is not None and unit == "usd_spend":
        spend = min(spend, cap)
    if promise.offer_type == "points_multiplier":
        points = (value - (promise.base_rate or 0)) * spend
        return (min(points, cap) if cap is not None and unit == "points" else points) * basis.point_value_usd
    reward = value / HUNDRED * spend
    return min(reward, cap) if cap is not None and unit == "usd" else reward


def _reach(promise: Promise, basis: Basis) -> Decimal:
    """Return the part of the uplift, 0 to 1, that this offer is generous enough to bring about."""
    if basis.tipping_share is None:
        return Decimal(1)
    access = promise.offer_type == "exclusive_access"
    share = basis.access_worth_share if access else use_cost_usd(promise, basis) / basis.expected_spend_usd
    return min(Decimal(1), share / basis.tipping_share)
