"""A campaign whose endpoint fails and whose processes are killed for its whole run, and what it must end with.

Replies depend on the request's body alone, and links on the key, the run and the moment of creation; so two campaigns
of the same name, file and moment end with the same offers byte for byte, whatever happens to one of them on the way.
"""

import asyncio
import hashlib
import json
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import psutil

from graph.deps import Deps
from graph.settings import handed_over
from server.campaign.intake import take_in
from server.campaign.plan import plan
from server.campaign.spec import Spec
from tests.scripted_model import Call, Default, Drop, Hang, Reply, ScriptedModel, Status, written
from tests.scripted_model.writing import FAULTS, chance
from tools.ledger.campaigns import Campaign, Campaigns

NAME: Final = "chaos"
LOOK_S: Final = 0.05
MOST_STARTS: Final = 5
"""Drivers that may end by themselves, neither killed nor done, before there is something wrong."""

Victim = Literal["worker", "driver"]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong at an endpoint: shares of calls that fail and hang, and how many it takes a second."""

    errors: float = 0.03
    hangs: float = 0.003
    per_s: float = 20.0


class Answers:
    """What a scripted endpoint says: by the body alone, unless the weather, drawn with the seed, is in the way."""

    def __init__(self, weather: Weather | None = None, *, seed: int = 7, broken: float = 0.2) -> None:
        self._weather, self._random, self._broken = weather, random.Random(seed), broken
        self._left, self._at = 0.0, time.monotonic()
        self.answered: Counter[bytes] = Counter()
        self.faults: Counter[str] = Counter()

    @property
    def repeated(self) -> int:
        """How many requests were answered that had been answered before."""
        return self.answered.total() - len(self.answered)

    def __call__(self, call: Call) -> Reply:
        """Return the reply to one request."""
        if self._weather is not None and (fault := self._fault(self._weather)) is not None:
            self.faults[f"{type(fault).__name__} {getattr(fault, 'code', '')}".strip()] += 1
            return fault
        text = json.dumps(call.body, sort_keys=True)
        key = hashlib.sha256(text.encode())
        self.answered[key.digest()] += 1
        if call.step != "draft_compose":
            return Default()
        is_broken = "sent back" not in call.text and chance(f"{key.hexdigest()}\0broken") < self._broken
        return written(call, key=key.hexdigest(), fault=FAULTS[0][1] if is_broken else None)

    def _fault(self, weather: Weather) -> Status | Drop | Hang | None:
        now = time.monotonic()
        self._left = min(weather.per_s / 10, self._left + (now - self._at) * weather.per_s)
        self._at = now
        if self._left < 1:
            return Status(429, retry_after=0.2)
        self._left -= 1
        drawn = self._random.random()
        if drawn < weather.hangs:
            return Hang()
        if drawn < weather.hangs + weather.errors:
            return self._random.choice((Status(500), Status(503), Drop()))
        return None


async def planned(deps: Deps, file: Path, *, budget_usd: str, created: datetime) -> Campaign:
    """Take a file in as if at that moment, and plan it."""
    spec = Spec.model_validate({"name": NAME, "budget_usd": budget_usd, "send_date": created.date(), "holdout": 5.0})
    taken = await take_in(deps.database, spec, file)
    async with deps.database.connection() as connection:
        await connection.execute(b"update campaign set sent_at = %s where name = %s", (created, NAME))
    await plan(taken.campaign, deps)
    return await Campaigns(deps.database).named(NAME)


async def endings(deps: Deps) -> list[Row]:
    """Return what became of each prediction, the fingerprint of its email and the draft it came of included."""
    async with deps.database.connection() as connection:
        return await (await connection.execute(_ENDINGS)).fetchall()


@dataclass(frozen=True, slots=True)
class Death:
    """Whom to kill, once this share of the work (drafts and decisions, half each) is done."""

    share: float
    victim: Victim


def deaths(count: int, *, seed: int) -> list[Death]:
    """Draw deaths over the whole run; each third is a driver's."""
    drawn = random.Random(seed)
    shares = sorted(drawn.uniform(0.02, 0.97) for _ in range(count))
    return [Death(share, "driver" if place % 3 == 1 else "worker") for place, share in enumerate(shares)]


@dataclass(slots=True)
class Storm:
    """What a campaign went through."""

    killed: Counter[str] = field(default_factory=Counter)
    ended: int = 0


class Storming:
    """Drives a campaign in processes of its own and kills them; without workers the driver does their work.

    Their log goes to a file in `folder`.
    """

    def __init__(self, deps: Deps, folder: Path, *, workers: int, seed: int) -> None:
        self._deps, self._log, self._workers = deps, folder / "drivers.log", workers
        self._random = random.Random(seed)
        self.storm = Storm()

    async def run(self, planned: Sequence[Death], *, say: Callable[[str], None] = lambda _: None) -> Storm:
        """Go on until the campaign is done; a driver that is killed, or ends before, is started again."""
        driver = await self._start()
        try:
            for death in planned:
                while (victim := await self._victim(driver, death)) is None:
                    if await self._is_done():
                        return self.storm
                    if driver.returncode is not None:
                        driver = await self._again(driver)
                    await asyncio.sleep(LOOK_S)
                say(f"kill a {death.victim} at {death.share:.0%}")
                victim.kill()
                self.storm.killed[death.victim] += 1
                if death.victim == "driver":
                    await driver.wait()
                    driver = await self._start()
            while await driver.wait() or not await self._is_done():
                driver = await self._again(driver)
        finally:
            if driver.returncode is None:
                driver.kill()
                await driver.wait()
        return self.storm

    async def _victim(self, driver: Process, death: Death) -> psutil.Process | None:
        """Return whom to kill when it is time: while work is under way in a worker's hands."""
        done, held = await self._share()
        if driver.returncode is not None or done < death.share or not held:
            return None
        if death.victim == "driver":
            return psutil.Process(driver.pid)
        workers = workers_of(driver.pid)
        return self._random.choice(workers) if workers else None

    async def _again(self, ended: Process) -> Process:
        self.storm.ended += 1
        told = self._log.read_text(encoding="utf-8")[-2000:]
        assert self.storm.ended < MOST_STARTS, f"drivers end by themselves, the last with {ended.returncode}: {told}"
        return await self._start()

    async def _start(self) -> Process:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.server.campaign.driving", NAME, str(self._workers),
                stdin=PIPE, stderr=log,
            )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(f"{handed_over(self._deps.settings)}\n".encode())
        return process

    async def _share(self) -> tuple[float, bool]:
        async with self._deps.database.connection() as connection:
            row = await (await connection.execute(_SHARE)).fetchone()
        assert row is not None  # aggregates always give a row
        return float(row[0]), bool(row[1])

    async def _is_done(self) -> bool:
        return (await Campaigns(self._deps.database).named(NAME)).state == "done"


def workers_of(driver: int) -> list[psutil.Process]:
    """Return a driver's worker processes."""
    try:
        return [one for one in psutil.Process(driver).children() if "server.campaign.worker" in one.cmdline()]
    except psutil.Error:  # one that ends this moment
        return []


async def tries_of(deps: Deps) -> Counter[str]:
    """Return how many tries of model calls the ledger has counted, by outcome."""
    async with deps.database.connection() as connection:
        rows = await (await connection.execute(_TRIES)).fetchall()
    return Counter(dict(rows))


def asked_of(script: ScriptedModel, answers: Answers) -> None:
    """Let an endpoint answer so."""
    script.clear()
    script.reply("*", answers)


_ENDINGS: Final = b"""
select i.prediction_key, i.user_id, i.status, i.recommendation, i.detail, i.error_class, i.error_text, i.run_id,
    o.offer_type, o.option_id, o.expected_cost_usd, o.start_date, o.end_date, o.html_sha256,
    k.key, k.source, md5((k.record -> 'draft')::text), md5(k.record ->> 'terms_text')
from offer_item i join campaign c using (campaign_id)
left join offer o using (campaign_id, prediction_key)
left join campaign_cohort k on k.campaign_id = i.campaign_id and k.cohort_id = i.cohort_id
where c.name = 'chaos' order by 1
"""

_SHARE: Final = b"""
select 0.5 * drafts.done / greatest(drafts.items, 1) + 0.5 * chunks.done / greatest(chunks.items, 1),
    drafts.held or chunks.held
from (
    select count(*) filter (where status in ('done', 'dead')) as done, count(*) as items,
        coalesce(bool_or(status = 'running'), false) as held
    from campaign_cohort
) as drafts, (
    select coalesce(sum(items) filter (where status = 'done'), 0) as done, coalesce(sum(items), 0) as items,
        coalesce(bool_or(status = 'running'), false) as held
    from campaign_chunk
) as chunks
"""

_TRIES: Final = b"select outcome, sum(tries)::int from llm_usage group by 1"
