"""What prompts cost a population: distinct prompts, their length, what they share. No model is asked."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Final, Literal

import polars as pl

from graph.deps import Deps
from graph.ground import ground_of
from graph.prompt_view import prompt_view
from tools.population import screened, with_signals
from tools.prices import Prices
from tools.prompt_budget import tokens
from tools.sample import sample_members, sample_predictions
from tools.views import MemberView
from tools.vocabulary import CopyMode

PER: Final = 1_000
"""Offers that figures are for."""
HYPOTHESES: Final = 3
"""Hypotheses a composed draft is taken to be told of, the longest that fit: analysis keeps at most so many."""
Asked = Literal["analyze", "draft"]
_VIEW: Final = ("domain", "view_card_type", "strategy", "spend_trend", "engagement", "domain_interest", "tenure_band")


@dataclass(frozen=True, slots=True)
class Population:
    """Predictions, and how many of them with each view get an offer; the others never meet a model."""

    predictions: int
    views: Counter[MemberView]

    @property
    def offers(self) -> int:
        """Members a draft is asked for."""
        return self.views.total()


@dataclass(frozen=True, slots=True)
class StepCost:
    """One step's prompts over a population. Tokens in are estimates (`tools.prompt_budget`), on the long side.

    `shared` is the share of the distinct prompts' characters that stand in a beginning another of them has too: the
    most that a provider's prefix cache can save. `most_out` is what an answer may have.
    """

    step: Asked
    prompt: str
    distinct: int
    mean_in: float
    p95_in: float
    shared: float
    most_out: int

    def calls(self, offers: int) -> float:
        """Return calls per 1,000 offers when each distinct prompt is asked once, and its answer kept."""
        return self.distinct / offers * PER

    def usd(self, prices: Prices, *, offers: int, tokens_out: float, prefix_cached: bool) -> float:
        """Return the cost of 1,000 offers in US dollars, first drafts alone."""
        cached = self.mean_in * self.shared if prefix_cached else 0.0
        one = prices.usd(input_tokens=self.mean_in, output_tokens=tokens_out, cached_tokens=cached)
        return self.calls(offers) * one


def sample_population(count: int, deps: Deps, *, seed: int = 7) -> Population:
    """Screen predictions for synthetic members who have had no offer from us. CPU work, about a second per 100,000."""
    today = deps.today()
    members = sample_members(count, seed=seed)
    predictions = sample_predictions(members, n=count, seed=seed).filter(pl.col("offer_flag") == 1)
    frame = predictions.join(members, on="user_id", maintain_order="left").with_columns(
        confidence=pl.col("confidence_score"), in_holdout=pl.lit(False)
    )
    rows = screened(with_signals(frame, today), ground_of(deps, today, flight=f"online {today:%Y-%m}"))
    kept = rows.filter(pl.col("reason").is_null()).group_by(_VIEW).len().sort(_VIEW)
    names = tuple(MemberView.model_fields)
    views = {
        MemberView.model_validate(dict(zip(names, row[: len(names)], strict=True))): row[-1] for row in kept.iter_rows()
    }
    return Population(count, Counter(views))


async def step_cost(
    step: Asked,
    people: Population,
    deps: Deps,
    *,
    mode: CopyMode,
    variant: str | None = None,
    tell: Callable[[], None] = lambda: None,
) -> StepCost:
    """Build the prompt of every view and weigh it; `tell` hears of each. Raises InputInvalid as `prompt_view` does."""
    lengths: list[int] = []
    texts: dict[str, str] = {}
    name, most_out = str(step), 0
    for view in people.views:
        fitting = sorted((each.text for each in deps.rulebook.hypotheses.applicable(view)), key=len)
        shown = await prompt_view(step, view, deps, mode=mode, variant=variant, hypotheses=fitting[-HYPOTHESES:])
        name, most_out = shown.prompt.name, shown.ask.max_tokens
        key = shown.ask.key(deps.model.name)
        if key not in texts:
            texts[key] = "\0".join(text for _, text in shown.ask.messages)
            lengths.append(sum(tokens(text) for _, text in shown.ask.messages))
        tell()
    return StepCost(
        step=step,
        prompt=name,
        distinct=len(texts),
        mean_in=fmean(lengths) if lengths else 0.0,
        p95_in=float(sorted(lengths)[int(0.95 * (len(lengths) - 1))]) if lengths else 0.0,
        shared=shared_prefix(list(texts.values())),
        most_out=most_out,
    )


def shared_prefix(texts: Sequence[str]) -> float:
    """Return the share of all characters that the texts have in common at their beginnings.

    Sorted, each text has its longest common beginning with the text before it among all that came earlier; the sum of
    these is what a cache of every prefix seen would serve.
    """
    total = sum(map(len, texts))
    held = sum(_common(first, second) for first, second in pairwise(sorted(texts)))
    return held / total if total else 0.0


def _common(first: str, second: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    unequal = (at for at, (one, other) in enumerate(zip(first, second, strict=False)) if one != other)
    return next(unequal, min(len(first), len(second)))
