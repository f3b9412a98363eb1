"""What prompts cost a population: distinct prompts, their length, what they share, without asking a model."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles
from typing import Any, Final

from graph.case import candidates_of, menu_of
from graph.deps import Deps
from graph.prompt_view import StepName, prompt_view
from tools.chat.calls import Ask
from tools.prices import Prices
from tools.prompt_budget import tokens
from tools.screening import Case, Usage, screen
from tools.signals import read_signals
from tools.views import MemberView
from tools.vocabulary import CopyMode

PER: Final = 1_000
"""Members and offers that figures are for."""
HYPOTHESES: Final = 3
"""Hypotheses of analysis a composed draft is told of at most."""


@dataclass(frozen=True, slots=True)
class Population:
    """Predictions by what became of them before any model: those of each view that get an offer, and the others."""

    predictions: int
    views: Counter[MemberView]

    @property
    def offers(self) -> int:
        """Members a draft is asked for."""
        return self.views.total()


@dataclass(frozen=True, slots=True)
class StepCost:
    """One step's prompts over a population. Tokens are estimates (`tools.prompt_budget`), 117 to 130 % of a count.

    `shared` is the share of all characters that stand in a prefix another of the distinct prompts begins with too:
    the most a provider's prefix cache can save. `tokens_out` is the most an answer may have.
    """

    step: StepName
    prompt: str
    distinct: int
    mean_in: float
    p95_in: float
    shared: float
    tokens_out: int

    def usd(self, prices: Prices, *, offers: int, tokens_out: float, prefix_cached: bool = False) -> float:
        """Return the cost in US dollars of 1,000 offers, each distinct prompt asked once."""
        calls = self.distinct / offers * PER
        cached = self.mean_in * self.shared if prefix_cached else 0.0
        return calls * prices.usd(input_tokens=self.mean_in, output_tokens=tokens_out, cached_tokens=cached)


def population(count: int, deps: Deps, *, seed: int = 7) -> Population:
    """Screen the predictions of a synthetic population; nobody in it has got an offer from us before. CPU work."""
    from tests.sampled import sampled  # replaced below
    raise NotImplementedError
