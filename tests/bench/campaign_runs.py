"""Campaigns of sample members, each step in a process of its own, against a scripted endpoint: what they take."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from graph.settings import Settings, handed_over
from server.campaign.progress import Progress, look
from server.campaign.spec import Personalisation
from tests.bench.campaign_input import Input
from tests.bench.campaign_step import Step
from tests.bench.parts import ROOT, Parts, environment, scripted_model
from tools.database import Database
from tools.ledger.campaigns import Campaign, Campaigns

WORKERS: Final = 2
STEPS: Final = ("create", "plan", "run")
NAME: Final = "bench"

_BEGUN: Final = time.monotonic()


def say(words: str) -> None:
    """Tell whoever waits what is being done."""
    print(f"{time.monotonic() - _BEGUN:7.1f} s  {words}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the endpoint counted: calls, and the moments of the first request and the last answer."""

    count: int
    max_in_flight: int
    first_at: float
    last_at: float
    cpu_s: float

    @property
    def seconds(self) -> float:
        """How long it was asked."""
        return self.last_at - self.first_at


def asked(model_url: str) -> Asked:
    """Return what a scripted endpoint has counted."""
    with urlopen(f"{model_url.removesuffix('/v1')}/counts", timeout=10) as answer:
        return Asked(**json.loads(answer.read()))


@dataclass(frozen=True, slots=True)
class CampaignRun:
    """A campaign that is done: its steps, what the endpoint counted, and the bytes it added to each table.

    `look_s` is how long a progress bar's question took at its end.
    """

    members: int
    steps: dict[str, Step]
    asked: Asked
    campaign: Campaign
    progress: Progress
    sizes: dict[str, int]
    look_s: float

    @property
    def offers(self) -> int:
        """How many members got an offer."""
        return self.progress.offers

    @property
    def fan_out_s(self) -> float:
        """Seconds from the allotment of the money to the last decision."""
        assert self.campaign.finished_at is not None and self.campaign.allotted_at is not None
        return (self.campaign.finished_at - self.campaign.allotted_at).total_seconds()

    @property
    def seconds(self) -> float:
        """How long its steps took, without the start of their processes."""
        return sum(step.seconds for step in self.steps.values())

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all its steps' processes, workers' start included, PostgreSQL and endpoint not."""
        return sum(step.cpu_s for step in self.steps.values())

    @property
    def bytes(self) -> int:
        """What it has added to the database."""
        return sum(self.sizes.values())

    @property
    def worker_peak_mb(self) -> float:
        """The most memory any worker had."""
        return max(self.steps["run"].worker_peaks_mb.values(), default=0.0)


async def run_campaign(
    parts: Parts,
    drawn: Input,
    members: int,
    *,
    latency_s: float,
    in_flight: int,
    personalisation: Personalisation = "cohort",
) -> CampaignRun:
    """Create, plan and run a campaign for so many members with two workers, on a database and endpoint of its own.

    `in_flight` is how many calls may wait at a time, of all workers. Raises AssertionError when it doesn't add up.
    """
    file = await asyncio.to_thread(drawn.predictions, members)
    with scripted_model(latency_s=latency_s) as url:
        async with parts.services(url) as deps:
            say(f"{members:,} members: load")
            await drawn.load(deps.database, members)
            settings = deps.settings.model_copy(update={"llm_max_concurrency": in_flight // WORKERS})
            before = await _sizes(deps.database)
            steps: dict[str, Step] = {}
            for verb in STEPS:
                say(f"{members:,} members: {verb}")
                steps[verb] = await _step(verb, file, settings, personalisation)
                say(f"{members:,} members: {verb} took {steps[verb].seconds:,.1f} s")
            after = await _sizes(deps.database)
            campaign = await Campaigns(deps.database).named(NAME)
            begun = time.perf_counter()
            progress = await look(deps.database, NAME)
            look_s = time.perf_counter() - begun
            for dead in await _dead(deps.database):
                say(f"{members:,} members: dead letters: {dead}")
        counted = await asyncio.to_thread(asked, url)
    run = CampaignRun(
        members=members, steps=steps, asked=counted, campaign=campaign, progress=progress,
        sizes={name: size - before.get(name, 0) for name, size in after.items()}, look_s=look_s,
    )  # fmt: skip
    _checked(run)
    return run


def _checked(run: CampaignRun) -> None:
    now = run.progress
    decided = now.done + now.skipped + now.dead
    assert now.items == run.members == decided, f"of {run.members:,} items {now.open:,} are open"
    assert now.offers == now.done, f"{now.done:,} items are done, and there are {now.offers:,} offers"
    tries = sum(now.tries.values())
    assert tries == run.asked.count, f"{tries:,} tries are accounted for, and the endpoint counted {run.asked.count:,}"


async def _step(verb: str, file: Path, settings: Settings, personalisation: Personalisation) -> Step:
    """Run a step in a process of its own; whatever happens here, it has ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.campaign_step", verb, NAME, str(file),
        "--workers", str(WORKERS), "--personalisation", personalisation,
        cwd=ROOT, env=environment(), stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    try:
        told, _ = await process.communicate(f"{handed_over(settings)}\n".encode())
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, f"`{verb}` ended with exit code {process.returncode}; its words stand above"
    taken = json.loads(told.decode().splitlines()[-1])
    return Step(**taken)


async def _dead(database: Database) -> list[str]:
    async with database.connection() as connection:
        rows = await (await connection.execute(_DEAD)).fetchall()
    return [f"{count:,} of {name}, as {text}" for name, text, count in rows]


async def _sizes(database: Database) -> dict[str, int]:
    async with database.connection() as connection:
        rows = await (await connection.execute(_SIZES)).fetchall()
    return {str(name): int(size) for name, size in rows}


_DEAD: Final = """
select error_class, min(error_text), count(*) from offer_item where status = 'dead' group by 1 order by 3 desc
"""

# With indexes and what is stored out of line. The partition is the campaign's own, so all of it counts.
_SIZES: Final = """
select case when c.relname ~ '^offer_item_c[0-9]+$' then 'offer_item' else c.relname end, pg_total_relation_size(c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = current_schema() and (c.relname ~ '^offer_item_c[0-9]+$' or c.relname in (
    'decision', 'decision_person', 'offer', 'reservation', 'campaign_part', 'campaign_cohort', 'campaign_chunk',
    'campaign_reject', 'completion', 'llm_usage'
))
"""
