"""A campaign whose endpoint fails and whose processes are killed all the time, against one that is left in peace.

`python -m tests.bench chaos [--members N] [--quick]`: 20,000 sample members, or N. The aim is no difference: the same
outcome for each prediction, and the same emails byte for byte, links included.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from graph.deps import Deps
from server.campaign.run import Driver
from server.campaign.verify import Verdict, verify
from tests.bench.campaign_input import Input
from tests.bench.campaign_runs import say
from tests.bench.figures import Figure
from tests.bench.parts import Parts
from tests.scripted_model import ScriptedModel
from tests.server.campaign.chaos import (
    NAME,
    Answers,
    Row,
    Storming,
    Weather,
    asked_of,
    deaths,
    endings,
    planned,
    tries_of,
)
from tools.ledger.campaigns import Campaigns

MEMBERS: Final = 20_000
QUICK: Final = 1_000
SEED: Final = 7
WORKERS: Final = 2
IN_FLIGHT: Final = 20
"""Calls a worker has in flight at most."""
LATENCY_S: Final = 0.1
DEATHS: Final = 24
QUICK_DEATHS: Final = 4
USD_A_MEMBER: Final = 0.6
"""Too little for all offers, so that money is allotted by worth."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a campaign ended with, in how many seconds, and what calls it took."""

    rows: list[Row]
    seconds: float
    asked: int
    tries: Counter[str]
    verdict: Verdict


async def run(parts: Parts, *, quick: bool, members: int | None = None) -> Sequence[Figure]:
    """Run both and compare."""
    size = members or (QUICK if quick else MEMBERS)
    drawn, created = Input(parts.folder / "chaos", size), datetime.now(UTC)
    await drawn.draw()
    file = drawn.predictions(size)
    with ScriptedModel(latency=LATENCY_S, record=False) as script:
        asked_of(script, Answers())
        async with _planned(parts, script, drawn, size, file, created) as deps:
            say(f"{size:,} members in peace")
            begun = time.monotonic()
            await Driver(deps, await Campaigns(deps.database).named(NAME), workers=WORKERS).run()
            calm = await _ended(deps, script, begun)
        answers = Answers(Weather(), seed=SEED)
        asked_of(script, answers)
        async with _planned(parts, script, drawn, size, file, created) as deps:
            say(f"{size:,} members in chaos")
            begun = time.monotonic()
            storming = Storming(deps, parts.folder, workers=WORKERS, seed=SEED)
            storm = await storming.run(deaths(QUICK_DEATHS if quick else DEATHS, seed=SEED), say=say)
            rough = await _ended(deps, script, begun)
    killed, bound = storm.killed, storm.killed["worker"] * IN_FLIGHT
    broke = sum(row[3] == "suppressed_budget_exhausted" for row in rough.rows)
    faults = ", ".join(f"{count:,} x {name}" for name, count in sorted(answers.faults.items()))
    return [
        Figure("predictions that end otherwise, of all", *_of(_differing(calm.rows, rough.rows), size), aim=0),
        Figure("offers, held back, dead", _statuses(rough.rows), 0.0),
        Figure("held back for want of money", f"{broke:,}", float(broke)),
        Figure("checks of `verify` that fail", *_of(_failed(calm) + _failed(rough), 2), aim=0),
        Figure("workers, drivers killed", f"{killed['worker']}, {killed['driver']}", float(killed.total())),
        Figure("drivers that ended by themselves", f"{storm.ended}", storm.ended, aim=0),
        Figure("the endpoint's faults", faults, float(answers.faults.total())),
        Figure("answered again though answered before", *_of(answers.repeated, rough.asked), aim=bound),
        Figure("counted tries the endpoint never saw", *_of(rough.tries.total() - rough.asked, rough.asked), aim=bound),
        Figure("tries whose end the ledger doesn't know", *_of(rough.tries["sent"], rough.asked), aim=bound),
        Figure("calls", f"{rough.asked:,}", rough.asked, rough.asked / calm.asked, f"in peace ({calm.asked:,})"),
        Figure("time", f"{rough.seconds:,.0f} s", rough.seconds, rough.seconds / calm.seconds,
               f"in peace ({calm.seconds:,.0f} s)"),
    ]  # fmt: skip


@asynccontextmanager
async def _planned(
    parts: Parts, script: ScriptedModel, drawn: Input, members: int, file: Path, created: datetime
) -> AsyncIterator[Deps]:
    """Open the services on an empty database, load the members and plan the campaign."""
    changes = {"copy_mode": "compose", "llm_max_concurrency": IN_FLIGHT, "llm_timeout_s": 10.0}
    async with parts.services(script.base_url, **changes) as deps:
        await drawn.load(deps.database, members)
        await planned(deps, file, budget_usd=f"{USD_A_MEMBER * members:.2f}", created=created)
        yield deps


async def _ended(deps: Deps, script: ScriptedModel, begun: float) -> Ended:
    seconds = time.monotonic() - begun
    now = await Campaigns(deps.database).named(NAME)
    most = deps.settings.max_offers_per_month
    verdict = await verify(deps.database, now, most_per_month=most, zone=deps.zone)
    return Ended(await endings(deps), seconds, script.count, await tries_of(deps), verdict)


def _differing(calm: Sequence[Row], rough: Sequence[Row]) -> int:
    for one, other in zip(calm, rough, strict=False):
        if one != other:
            say(f"differs: {one}\n     from {other}")
    return sum(one != other for one, other in zip(calm, rough, strict=False)) + abs(len(calm) - len(rough))


def _failed(ended: Ended) -> int:
    if not ended.verdict.ok:
        say(f"verify: {ended.verdict.lines}")
    return int(not ended.verdict.ok)


def _statuses(rows: Sequence[Row]) -> str:
    counts = Counter(row[2] for row in rows)
    return ", ".join(f"{counts[status]:,}" for status in ("done", "skipped", "dead"))


def _of(count: int, whole: int) -> tuple[str, float]:
    return f"{count:,} of {whole:,}", float(count)
