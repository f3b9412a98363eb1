"""The figures of a campaign's report: plain counts and amounts, so that they can be checked apart from the page."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Funnel(_Figures):
    """What has become of the input, in predictions. `items` = not needed + unknown members + `known`.

    `known` = all of `held` + `passed`; `passed` = offers + all of `dead` + open + cancelled. `members` counts the
    members behind the known ones once each.
    """

    input_rows: int
    rejected: int
    items: int
    not_needed: int
    unknown: int
    known: int
    members: int
    held: dict[str, int] = Field(description="Predictions held back, by the first reason that applied.")
    passed: int
    cohorts: int
    offers: int
    dead: dict[str, int] = Field(description="Dead letters by error class.")
    open: int
    cancelled: int

    @property
    def held_total(self) -> int:
        """Return how many predictions were held back, whatever the reason."""
        return sum(self.held.values())

    @property
    def dead_total(self) -> int:
        """Return how many ended as dead letters."""
        return sum(self.dead.values())


class Budgeted(_Figures):
    """One budget, in USD. `name` is a domain's or a day's; `used_usd` is None for the budget of each member."""

    scope: str
    name: str
    limit_usd: Decimal
    used_usd: Decimal | None


class DomainCost(_Figures):
    """Offers of a domain, and what they are expected to cost together. `limit_usd`: the domain's budget, if it has one."""

    domain: str
    offers: int
    cost_usd: Decimal
    limit_usd: Decimal | None


class Money(_Figures):
    """What the campaign costs, in USD. `model_usd` is None where no prices are set.

    `untold` tries have no known tokens (under way, lost or without an answer), so `model_usd` leaves them out.
    """

    offers_usd: Decimal
    model_usd: Decimal | None
    limit_usd: Decimal | None
    domains: tuple[DomainCost, ...]
    budgets: tuple[Budgeted, ...]
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    untold: int


class Share(_Figures):
    """Offers of one kind, and what they are expected to cost together, in USD."""

    name: str
    offers: int
    cost_usd: Decimal


class Mix(_Figures):
    """What was offered. An offer names several merchants, so `merchants` add up to more than all offers."""

    offer_types: tuple[Share, ...]
    options: tuple[Share, ...]
    merchants: tuple[Share, ...]
    sources: tuple[Share, ...] = Field(description="By where the copy is from: model, blocks or fallback.")
    held: int = Field(description="Offers that a later policy holds now.")


class Proportion(_Figures):
    """A share of `of`, with its 95 % interval (Wilson score). The shares are None where `of` is nought."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class BrokenClause(_Figures):
    """A clause that drafts broke, or could not be shown to obey; each draft counts once."""

    clause: str
    drafts: int
    cohorts: int


class Drafts(_Figures):
    """How drafting went, by cohort. Passed at first: the first draft passed the gate and was no fallback."""

    drafted: int
    first_pass: Proportion
    redrafts: int
    fallbacks: int
    dead: int
    clauses: tuple[BrokenClause, ...]


class Size(_Figures):
    """Cohorts that have so many members, from `least` to `most`, and how many members that is."""

    least: int
    most: int | None
    cohorts: int
    items: int


class Reuse(_Figures):
    """How many predictions one draft serves. `one_by_one` is how many drafts the served ones would need without cohorts."""

    cohorts: int
    drafted: int
    sizes: tuple[Size, ...]
    median: float | None
    mean: float | None
    largest: int | None
    one_by_one: int
    saved: int
    tries: int
    calls_per_offer: float | None


class Tries(_Figures):
    """Tries of a step with a model that ended alike."""

    step: str
    model: str
    outcome: str
    tries: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int


class Minute(_Figures):
    """Tries by outcome and tokens of `minutes` minutes from `start` on."""

    start: datetime
    tries: dict[str, int]
    tokens: int


class Latency(_Figures):
    """Seconds that answered calls of a step took, retries and waits included."""

    step: str
    calls: int
    median_s: float
    p95_s: float


class Use(_Figures):
    """How the model was used. `minutes` are in bins of `bin_minutes`."""

    rows: tuple[Tries, ...]
    minutes: tuple[Minute, ...]
    bin_minutes: int
    latencies: tuple[Latency, ...]


class Group(_Figures):
    """Members of one group. `ratio`: its rate of offers to the highest rate of a group (adverse-impact ratio).

    `value_usd` is the mean, over members with offers, of what one is expected to give them, with its 95 % interval.
    """

    name: str
    members: int
    held: Proportion
    offered: Proportion
    ratio: float | None
    adverse: bool = Field(description="Whether the ratio is under four fifths (29 CFR 1607.4 D).")
    value_usd: float | None
    value_low: float | None
    value_high: float | None


class Attribute(_Figures):
    """Groups by one protected attribute, or by a `proxy` of one. `small`: how many groups are too small to be told."""

    name: str
    proxy: bool
    groups: tuple[Group, ...]
    small: int


class Parity(_Figures):
    """Who got offers, by group. `missing` says why there is nothing to tell; `members` is who was looked at."""

    members: int
    attributes: tuple[Attribute, ...]
    missing: str | None


class Arm(_Figures):
    """One arm: members it has, and those its share of all would be. `first_pass` is of the drafts made for it."""

    name: str
    share: float
    members: int
    expected: float
    first_pass: Proportion | None


class SampleRatio(_Figures):
    """Sizes of arms against their shares, by Pearson's chi-square. `fault`: p under 0.001, so allocation is at fault."""

    name: str
    arms: tuple[Arm, ...]
    chi_square: float | None
    p_value: float | None
    fault: bool


class CampaignFigures(_Figures):
    """All figures of a campaign as its ledger has them at `as_of`. Nobody is named in them."""

    name: str
    state: str
    note: str
    finished: bool
    as_of: datetime
    input_name: str
    input_sha: str
    spec: dict[str, Any]
    versions: dict[str, Any]
    moments: dict[str, datetime | None]
    funnel: Funnel
    money: Money
    mix: Mix
    drafts: Drafts
    reuse: Reuse
    use: Use
    parity: Parity
    holdout: SampleRatio | None
    variants: tuple[SampleRatio, ...]
