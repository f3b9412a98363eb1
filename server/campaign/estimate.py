"""What a planned campaign will ask of models, money and time. No model is asked; every assumption is named."""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graph.deps import EMBEDDED_SLOTS, Deps
from graph.prompt_cost import Asked, step_cost
from graph.prompt_population import Population
from graph.prompt_view import prompt_view
from server.campaign.figures import StepFigures
from server.campaign.run import SMALL
from tools.policies.schema import JudgeClause
from tools.prompt_budget import tokens
from tools.views import MemberView

SAMPLE: Final = 120
"""Cohorts whose prompts are rendered to weigh all of them, evenly from the largest to the smallest."""
JUDGED: Final = 12
"""Judge's prompts that are rendered; they differ by their clauses alone."""
SENT_BACK: Final = 0.2
"""Share of drafts taken to be sent back once."""
ANSWER: Final = 0.5
"""Share of the tokens an answer may have that it is taken to have."""
LATENCY_S: Final = {True: 3.0, False: 2.0}
"""Seconds a call is taken to last: of the embedded model, of an endpoint."""
DECIDED_PER_S: Final = 150
"""Members one worker process is taken to decide in a second: screening, gate, email and record of each."""

OpenCohort = tuple[Mapping[str, Any], Mapping[str, str], bool, int]
"""View, variants of the prompts, whether analysis is asked, and how many cohorts are so."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls by step, and seconds until the drafts are there and until everything is decided after that."""

    steps: tuple[StepFigures, ...]
    drafting_s: float
    fan_out_s: float
    assumptions: tuple[str, ...]


async def estimate(
    cohorts: Sequence[OpenCohort],
    deps: Deps,
    *,
    count: int,
    open_items: int,
    measured: Mapping[str, tuple[float, float]],
) -> Estimate:
    """Weigh `count` cohorts by a sample of them. `measured` are answers' mean tokens and seconds by step, if known."""
    steps: list[StepFigures] = []
    if count:
        sampled = sum(number for *_, number in cohorts)
        asking = round(count * sum(number for *_, use_llm, number in cohorts if use_llm) / sampled)
        redrafts = round(count * SENT_BACK)
        most = deps.settings.max_revisions
        steps += [
            await _step("analyze", [c for c in cohorts if c[2]], deps, measured, calls=asking, at_most=asking),
            await _step("draft", cohorts, deps, measured, calls=count + redrafts, at_most=count * (1 + most)),
        ]
        if _is_judged(deps):
            approved = deps.copy_mode == "select"  # unchanged approved copy needs no judge
            calls = 0 if approved else count + redrafts
            steps.append(await _judging(cohorts, deps, measured, calls=calls, at_most=count * (1 + most)))
    workers = _workers(open_items)
    return Estimate(
        steps=tuple(step for step in steps if step.calls_at_most),
        drafting_s=_drafting_s(steps, deps),
        fan_out_s=open_items / (DECIDED_PER_S * workers),
        assumptions=_told(steps, deps, workers),
    )


async def _step(
    step: Asked,
    cohorts: Sequence[OpenCohort],
    deps: Deps,
    measured: Mapping[str, tuple[float, float]],
    *,
    calls: int,
    at_most: int,
) -> StepFigures:
    by_variant: defaultdict[str | None, Counter[MemberView]] = defaultdict(Counter)
    for view, variants, _, number in cohorts:
        by_variant[variants.get(step)][MemberView.model_validate(view)] += number
    tokens_in, out, weighed = 0.0, 0.0, 0
    for variant, views in by_variant.items():
        people = Population(views.total(), views, Counter())
        cost = await step_cost(step, people, deps, mode=deps.copy_mode, variant=variant)
        weighed += views.total()
        tokens_in += cost.mean_in * views.total()
        out += cost.most_out * views.total()
    return _figures(step, deps, measured, calls, at_most, tokens_in / max(weighed, 1), out / max(weighed, 1))


async def _judging(
    cohorts: Sequence[OpenCohort],
    deps: Deps,
    measured: Mapping[str, tuple[float, float]],
    *,
    calls: int,
    at_most: int,
) -> StepFigures:
    some = cohorts[:: max(1, len(cohorts) // JUDGED)]
    tokens_in = most_out = 0.0
    for view, variants, *_ in some:
        shown = await prompt_view(
            "judge", MemberView.model_validate(view), deps, mode=deps.copy_mode, variant=variants.get("judge")
        )
        tokens_in += sum(tokens(text) for _, text in shown.ask.messages) / len(some)
        most_out += shown.ask.max_tokens / len(some)
    return _figures("judge", deps, measured, calls, at_most, tokens_in, most_out)


def _figures(
    step: str,
    deps: Deps,
    measured: Mapping[str, tuple[float, float]],
    calls: int,
    at_most: int,
    tokens_in: float,
    most_out: float,
) -> StepFigures:
    known = measured.get(step)
    out, latency = known or (most_out * ANSWER, LATENCY_S[deps.settings.embedded_model])
    return StepFigures(
        step=step,
        calls=calls,
        calls_at_most=at_most,
        tokens_in=tokens_in,
        tokens_out=out,
        latency_s=latency,
        measured=known is not None,
    )


def _is_judged(deps: Deps) -> bool:
    clauses = (active.clause for policy in deps.rulebook.policies.active for active in policy.clauses)
    return deps.judge is not None and any(isinstance(clause, JudgeClause) for clause in clauses)


def _at_once(deps: Deps) -> int:
    most = deps.model.max_concurrency
    return min(most, EMBEDDED_SLOTS) if deps.settings.embedded_model else most


def _workers(open_items: int) -> int:
    return 1 if open_items < SMALL else min(8, os.cpu_count() or 1)


def _drafting_s(steps: Sequence[StepFigures], deps: Deps) -> float:
    """Return the longest of what calls in flight, calls a minute and tokens a minute let through, and one draft."""
    settings = deps.settings
    calls = sum(step.calls for step in steps)
    busy_s = sum(step.calls * step.latency_s for step in steps)
    chars = sum(step.calls * (step.tokens_in + step.tokens_out) for step in steps)
    alone_s = sum(step.latency_s for step in steps if step.calls)
    by_requests = 60 * calls / settings.llm_requests_per_minute if settings.llm_requests_per_minute else 0.0
    by_tokens = 60 * chars / settings.llm_tokens_per_minute if settings.llm_tokens_per_minute else 0.0
    return max(busy_s / _at_once(deps), alone_s, by_requests, by_tokens) if calls else 0.0


def _told(steps: Sequence[StepFigures], deps: Deps, workers: int) -> tuple[str, ...]:
    settings = deps.settings
    told = [
        f"{SENT_BACK:.0%} of drafts are sent back once; at most: MAX_REVISIONS ({settings.max_revisions}) times each",
        "tries that an endpoint refuses or that fail come on top",
        f"tokens in are estimated from real prompts of at most {SAMPLE} cohorts, on the long side",
    ]
    guessed = [step for step in steps if not step.measured and step.calls_at_most]
    known = [step for step in steps if step.measured and step.calls_at_most]
    if known:
        names = ", ".join(f"{step.step} {step.latency_s:.2g} s" for step in known)
        told.append(f"answers' length and time as recorded of this model's latest calls: {names}")
    if guessed:
        names = ", ".join(step.step for step in guessed)
        latency = LATENCY_S[settings.embedded_model]
        told.append(f"nothing is recorded of {names}: answers of {ANSWER:.0%} of their limit, {latency:g} s a call")
    limits = [f"{_at_once(deps)} calls at once (LLM_MAX_CONCURRENCY)"]
    if settings.llm_requests_per_minute:
        limits.append(f"{settings.llm_requests_per_minute:,} calls a minute")
    if settings.llm_tokens_per_minute:
        limits.append(f"{settings.llm_tokens_per_minute:,} tokens a minute")
    told.append(f"the endpoint is asked by one process: {', '.join(limits)}")
    told.append(f"{DECIDED_PER_S:,} members a second in each of {workers} worker processes")
    if settings.prices is None:
        told.append("no prices are set (LLM_INPUT_USD_PER_MILLION, LLM_OUTPUT_USD_PER_MILLION): cost in tokens alone")
    return tuple(told)
