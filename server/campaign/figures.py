"""A plan's numbers: what the command prints, what the ledger keeps."""

from math import erfc, sqrt

from pydantic import BaseModel, ConfigDict, Field

SUSPECT_P = 0.001
"""Holdout sizes less likely than this by chance are worth a look: the draw isn't what it should be."""


class StepFigures(BaseModel):
    """The model calls of one step. Tokens are per call; those in are estimated on the long side."""

    model_config = ConfigDict(frozen=True)

    step: str
    calls: int
    calls_at_most: int
    tokens_in: float
    tokens_out: float
    latency_s: float
    measured: bool = Field(description="Whether answers' tokens and seconds are those of recorded calls.")


class Plan(BaseModel):
    """What a campaign comes to. `items` = `open` + `decided` + all of `skipped_by`; `input_rows` = items + rejected.

    `skipped_by` counts by recommendation; members of the holdout are among them. Amounts are USD: `offers_*` what the
    open items' offers cost by their menus' cheapest, mean and dearest options, `model_*` None where no prices are set.
    `at_most` is what happens when every draft is sent back until nothing is left to try.
    """

    model_config = ConfigDict(frozen=True)

    campaign: str
    input_rows: int
    rejected: int
    items: int
    members: int
    decided: int
    open: int
    skipped_by: dict[str, int]
    waves: dict[int, int]
    holdout_percent: float
    holdout_members: int
    holdout_p: float | None
    cohorts: int
    cohorts_open: int
    chunks: int
    steps: tuple[StepFigures, ...]
    offers_usd_least: float
    offers_usd: float
    offers_usd_most: float
    model_usd: float | None
    model_usd_at_most: float | None
    budget_usd: float | None
    used_usd: float
    drafting_s: float
    fan_out_s: float
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def calls(self) -> int:
        """Return the model calls that are expected."""
        return sum(step.calls for step in self.steps)

    @property
    def calls_at_most(self) -> int:
        """Return the model calls if every draft is sent back as often as it may be."""
        return sum(step.calls_at_most for step in self.steps)

    @property
    def tokens_in(self) -> float:
        """Return the tokens of the prompts that are expected."""
        return sum(step.calls * step.tokens_in for step in self.steps)

    @property
    def tokens_out(self) -> float:
        """Return the tokens of the answers that are expected."""
        return sum(step.calls * step.tokens_out for step in self.steps)

    @property
    def missing_usd(self) -> float:
        """Return by how much offers and model calls are expected to exceed what is left of the budget; 0 for not."""
        if self.budget_usd is None:
            return 0.0
        left = max(self.budget_usd - self.used_usd, 0.0)
        return max(self.offers_usd + (self.model_usd or 0.0) - left, 0.0)


def sample_ratio_p(drawn: int, of: int, *, percent: float) -> float | None:
    """Return how likely a draw is at least this far from its share by chance; None when there is nothing to tell.

    Pearson's chi-square of drawn and not drawn, one degree of freedom, whose tail is erfc(sqrt(x / 2)).
    """
    share = percent / 100
    if of == 0 or not 0 < share < 1:
        return None
    chi_square = (drawn - of * share) ** 2 / (of * share * (1 - share))
    return erfc(sqrt(chi_square / 2))
