"""A campaign against making the same offers in other ways: a bare pipeline, and single requests one after the other."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import polars as pl

from graph.build import build_graph
from graph.context import Context
from graph.deps import Deps
from graph.run import decide
from server.campaign.intake import take_in
from server.campaign.plan import plan
from server.campaign.progress import look
from server.campaign.run import Driver
from server.campaign.spec import Spec
from tests.bench.bare import bare_offer
from tests.bench.campaign_input import Input
from tests.bench.campaign_runs import CampaignRun, asked, say
from tests.bench.campaign_step import BUDGET
from tests.bench.figures import Figure, against, cpu_of, per
from tests.bench.parts import CONCURRENCY, Parts, Raw, add_cohorts, scripted_model
from tools.ledger.campaigns import Campaigns

WARM: Final = 60
AIM: Final = 2.5
LATENCY_S: Final = 0.2
ONE_BY_ONE: Final = 30
"""Offers made one after the other."""
DRAWN: Final = 400
"""Members among whom so many offers are found."""


async def bare(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Return CPU per offer where each member has a draft of their own, as the bare pipeline has it too.

    The campaign takes the file in, plans, drafts, allots, decides and records in the ledger; the bare pipeline reads
    the member, asks, checks and renders, and writes nothing. 100 calls at a time; one process each, PostgreSQL not
    counted.
    """
    members = 100 if quick else 300
    say(f"against bare: {members} members, each with a prompt of their own")
    of_campaign = per(await _campaign_cpu(parts, members), members)
    of_bare = per(await _bare_cpu(parts, members), members)
    to = "a bare asyncio pipeline, no graph, no ledger"
    return [against("CPU per offer, each prompt new, from file to record", of_campaign, of_bare, to, aim=AIM)]


async def _campaign_cpu(parts: Parts, members: int) -> float:
    async with _deps(parts) as deps:
        await _campaign(deps, parts.folder, "warm", await add_cohorts(deps.database, WARM, prefix="WARM", skip=members))
        raws = await add_cohorts(deps.database, members, prefix="NEW")
        return await cpu_of(lambda: _campaign(deps, parts.folder, "new", raws))


async def _campaign(deps: Deps, folder: Path, name: str, raws: Sequence[Raw]) -> None:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(f"{json.dumps(raw)}\n" for raw in raws))
    spec = Spec(name=name, budget_usd=BUDGET, send_date=deps.today(), personalisation="individual")
    taken = await take_in(deps.database, spec, file)
    await plan(taken.campaign, deps)
    await Driver(deps, await Campaigns(deps.database).named(name), workers=0).run()
    now = await look(deps.database, name)
    assert now.offers == len(raws), f"{now.offers} of {len(raws)} got an offer: {now.skipped_by} {now.dead_by}"


async def _bare_cpu(parts: Parts, members: int) -> float:
    async with _deps(parts) as deps:
        await _all_bare(deps, await add_cohorts(deps.database, WARM, prefix="WARM", skip=members))
        raws = await add_cohorts(deps.database, members, prefix="NEW")
        return await cpu_of(lambda: _all_bare(deps, raws))


async def _all_bare(deps: Deps, raws: Sequence[Raw]) -> None:
    room = asyncio.Semaphore(CONCURRENCY)

    async def one(raw: Raw) -> bool:
        async with room:
            return await bare_offer(raw, deps, in_ledger=False)

    made = sum(await asyncio.gather(*map(one, raws)))
    assert made == len(raws), f"{len(raws) - made} of {len(raws)} predictions ended without an offer"


@asynccontextmanager
async def _deps(parts: Parts) -> AsyncIterator[Deps]:
    with scripted_model(latency_s=LATENCY_S) as url:
        async with parts.services(url) as deps:
            yield deps


async def one_by_one(parts: Parts, drawn: Input, run: CampaignRun) -> Sequence[Figure]:
    """Return offers per second and calls per offer of a campaign against single requests, one after the other."""
    say(f"one by one: {ONE_BY_ONE} offers through the graph")
    raws = pl.read_parquet(drawn.predictions(DRAWN)).to_dicts()
    with scripted_model(latency_s=LATENCY_S) as url:
        async with parts.services(url) as deps:
            await drawn.load(deps.database, DRAWN)
            graph, context = build_graph(deps), Context(mode="issue")
            made, begun = 0, time.perf_counter()
            for raw in raws:
                outcome = await decide(raw, graph, context, deadline_s=deps.settings.run_deadline_s)
                made += outcome.success
                if made == ONE_BY_ONE:
                    break
            seconds = time.perf_counter() - begun
        calls = (await asyncio.to_thread(asked, url)).count
    assert made == ONE_BY_ONE, f"{made} offers of {len(raws)} predictions"
    rate, alone = run.offers / run.seconds, made / seconds
    each, single = run.asked.count / run.offers, calls / made
    who = f"a campaign of {run.members:,}"
    return [
        Figure(
            f"offers per second, {who}, all its steps",
            f"{rate:,.1f}/s", rate, rate / alone, f"one after the other ({alone:.2f}/s)",
        ),
        Figure(
            f"calls per offer, {who}", f"{each:.4f}", each, each / single, f"one after the other ({single:.2f})",
        ),
    ]  # fmt: skip
