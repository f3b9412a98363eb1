"""What an evaluation says of one version of a prompt: counts, means, clauses broken, diversity, latency."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from server.evaluation.diversity import Diversity, diversity
from server.evaluation.measures import first_attempt, measures, own_attempts, own_text, remembered, standing
from server.evaluation.records import CaseResult
from tools.prices import Prices


@dataclass(frozen=True, slots=True)
class Broken:
    """One clause: how many first drafts broke it, and how many drafts in all."""

    first: int
    drafts: int


@dataclass(frozen=True, slots=True)
class Summary:
    """One version over its drafted results. `values` holds each measure's mean over results, by the measure's name.

    `held` results (policy kept the member back) and `broken` ones (a part failed) are in no denominator. `drafts` are
    all drafts the prompt was asked for. Latency is wall time in seconds.
    """

    cases: int
    results: int
    drafted: int
    held: int
    broken: int
    drafts: int
    values: dict[str, float]
    outcomes: dict[str, int]
    clauses: dict[str, Broken]
    diversity: Diversity | None
    p50_s: float | None
    p95_s: float | None


def summarise(results: Sequence[CaseResult], prices: Prices | None = None) -> Summary:
    """Return the figures of one version; a measure that no result can show is absent from `values`."""
    stands = Counter(map(standing, results))
    drafted = [result for result in results if standing(result) == "drafted"]
    seconds = [result.elapsed_ms / 1000 for result in drafted if not remembered(result)]
    return Summary(
        cases=len({result.case_id for result in results}),
        results=len(results),
        drafted=len(drafted),
        held=stands["held"],
        broken=stands["broken"],
        drafts=sum(len(own_attempts(result)) for result in drafted),
        values=_means(drafted, prices),
        outcomes=dict(Counter(result.recommendation for result in results).most_common()),
        clauses=_clauses(drafted),
        diversity=diversity([text["body"] for result in drafted if (text := own_text(result))]),
        p50_s=_percentile(seconds, 50),
        p95_s=_percentile(seconds, 95),
    )


def _means(drafted: Sequence[CaseResult], prices: Prices | None) -> dict[str, float]:
    means = {}
    for measure in measures(prices):
        values = [value for result in drafted if (value := measure.value(result)) is not None]
        if values:
            means[measure.name] = fmean(values)
    return means


def _clauses(drafted: Sequence[CaseResult]) -> dict[str, Broken]:
    first, drafts = Counter[str](), Counter[str]()
    for result in drafted:
        if (opening := first_attempt(result)) is not None:
            first.update(set(opening.violations))
        for attempt in own_attempts(result):
            drafts.update(set(attempt.violations))
    return {clause: Broken(first[clause], count) for clause, count in drafts.most_common()}


def _percentile(values: Sequence[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
