"""CPU per offer of the graph, against a bare asyncio pipeline with the same fetch, ledger, calls, checks and render.

100 members at a time; CPU is of the whole process, so that the graph's side holds what the bare one leaves out: the
full record, the typed outcome and the four exported files.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

from graph.build import build_graph
from graph.context import Context
from graph.deps import Deps
from graph.run import decide
from tests.bench.bare import bare_offer
from tests.bench.figures import Figure, against, cpu_of, per
from tests.bench.parts import CONCURRENCY, Parts, Raw, add_cohorts, scripted_model

MEMBERS = 300
WARM = 60
LATENCY_S = 0.2
AIM = 2.5

Offer = Callable[[Raw], Awaitable[str]]
"""Makes one offer; returns why there is none, or nothing."""

Make = Callable[[Deps], Offer]


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Measure both pipelines in turn and compare their medians."""
    members, rounds = (100, 1) if quick else (MEMBERS, 3)
    pairs: dict[str, list[tuple[float, float]]] = {"graph": [], "bare": []}
    with scripted_model(latency_s=LATENCY_S) as url:
        for _ in range(rounds):
            for name, make in (("graph", graph_offers), ("bare", bare_offers)):
                pairs[name].append(await measure(parts, url, make, members))
    new, cached = ({name: median(pair[place] for pair in pairs[name]) for name in pairs} for place in (0, 1))
    bare = "a bare asyncio pipeline"
    return (
        against("CPU per offer, each prompt new", new["graph"], new["bare"], bare, aim=AIM),
        against("CPU per offer, completions cached", cached["graph"], cached["bare"], bare, aim=AIM),
    )


def graph_offers(deps: Deps) -> Offer:
    """Return how the product makes an offer."""
    graph, context = build_graph(deps), Context(mode="issue")

    async def offer(raw: Raw) -> str:
        outcome = await decide(raw, graph, context, deadline_s=deps.settings.run_deadline_s)
        return "" if outcome.success else f"{outcome.recommendation}: {outcome.error or outcome.suppression}"

    return offer


def bare_offers(deps: Deps) -> Offer:
    """Return how a pipeline without a graph does."""

    async def offer(raw: Raw) -> str:
        return "" if await bare_offer(raw, deps) else "held back or not compliant"

    return offer


async def measure(parts: Parts, model_url: str, make: Make, members: int) -> tuple[float, float]:
    """Return milliseconds of CPU per offer for members of views never asked about, then for others of those views."""
    async with parts.services(model_url) as deps:
        offer = make(deps)
        await _all(offer, await add_cohorts(deps.database, WARM, prefix="WARM", skip=members))
        taken = []
        for prefix in ("NEW", "CACHED"):
            raws = await add_cohorts(deps.database, members, prefix=prefix)
            taken.append(per(await cpu_of(lambda raws=raws: _all(offer, raws)), members))  # type: ignore[misc]
        return taken[0], taken[1]


async def _all(offer: Offer, raws: list[Raw]) -> None:
    room = asyncio.Semaphore(CONCURRENCY)

    async def one(raw: Raw) -> str:
        async with room:
            return await offer(raw)

    failures = [why for why in await asyncio.gather(*map(one, raws)) if why]
    assert not failures, f"{len(failures)} of {len(raws)} predictions ended without an offer: {failures[0]}"
