"""What prompts cost a population: distinct prompts, their length, what they share. No model is asked."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Final, Literal

from graph.deps import Deps
from graph.prompt_population import Population
from graph.prompt_shares import common_start
from graph.prompt_view import prompt_view
from tools.prices import Prices
from tools.prompt_budget import tokens
from tools.vocabulary import CopyMode

PER: Final = 1_000
"""Offers that figures are for."""
HYPOTHESES: Final = 3
"""Hypotheses a composed draft is taken to be told of, the longest that fit: analysis keeps at most so many."""
Asked = Literal["analyze", "draft"]


@dataclass(frozen=True, slots=True)
class StepCost:
    """One step's prompts over a population. Tokens in are estimates (`tools.prompt_budget`), on the long side.

    `shared` is the share of the distinct prompts' characters that stand in a beginning another of them has too: the
    most that a provider's prefix cache can save. `most_out` is what an answer may have; `notes` say what runs' prompts
    may have had that these had not.
    """

    step: Asked
    prompt: str
    distinct: int
    mean_in: float
    p95_in: float
    shared: float
    most_out: int
    notes: tuple[str, ...] = ()

    def calls(self, offers: int) -> float:
        """Return calls per 1,000 offers when each distinct prompt is asked once, and its answer kept."""
        return self.distinct / offers * PER

    def usd(self, prices: Prices, *, offers: int, tokens_out: float, prefix_cached: bool) -> float:
        """Return the cost of 1,000 offers in US dollars, first drafts alone."""
        cached = self.mean_in * self.shared if prefix_cached else 0.0
        one = prices.usd(input_tokens=self.mean_in, output_tokens=tokens_out, cached_tokens=cached)
        return self.calls(offers) * one


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
    name, most_out, notes = str(step), 0, dict[str, None]()
    for view in people.views:
        fitting = sorted((each.text for each in deps.rulebook.hypotheses.applicable(view)), key=len)
        shown = await prompt_view(step, view, deps, mode=mode, variant=variant, hypotheses=fitting[-HYPOTHESES:])
        name, most_out = shown.prompt.name, shown.ask.max_tokens
        notes |= dict.fromkeys(shown.notes)
        key = shown.ask.key(deps.model.name)
        if key not in texts:
            texts[key] = "\0".join(text for _, text in shown.ask.messages)
            lengths.append(sum(tokens(text) for _, text in shown.ask.messages))
        tell()
        await asyncio.sleep(0)  # rendering waits for nothing: let an interrupt in
    return StepCost(
        step=step,
        prompt=name,
        distinct=len(texts),
        mean_in=fmean(lengths) if lengths else 0.0,
        p95_in=float(sorted(lengths)[int(0.95 * (len(lengths) - 1))]) if lengths else 0.0,
        shared=await asyncio.to_thread(shared_prefix, list(texts.values())),
        most_out=most_out,
        notes=tuple(notes),
    )


def shared_prefix(texts: Sequence[str]) -> float:
    """Return the share of all characters that the texts have in common at their beginnings.

    Sorted, each text has its longest common beginning with the text before it among all that came earlier; the sum of
    these is what a cache of every prefix seen would serve.
    """
    total = sum(map(len, texts))
    held = sum(len(common_start(*pair)) for pair in pairwise(sorted(texts)))
    return held / total if total else 0.0
