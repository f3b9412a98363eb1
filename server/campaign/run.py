"""Running a campaign: one driver at a time starts workers, allots the money after the drafts, and ends it."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import psycopg
from psycopg import AsyncConnection

from graph.cohort import changed
from graph.deps import Deps
from server.campaign.allotting import allot
from server.campaign.engines.engine import Engine
from server.campaign.engines.local import InProcess, Processes
from server.campaign.insisting import insisting
from server.campaign.spec import Spec
from server.campaign.steering import CampaignRefused, refusal
from server.campaign.working import CHANGED
from tools.errors import OfferGraphError, PoliciesUnavailable
from tools.ledger.campaigns import Campaign, Campaigns, CampaignState
from tools.ledger.chunks import Chunks
from tools.ledger.driver import DRIVER_KEY
from tools.ledger.presence import LOOK_S as PRESENCE_S
from tools.ledger.presence import Missing
from tools.ledger.spent import spent_usd

SMALL: Final = 2_000
"""Items below which one worker in this process is quicker than starting others."""
LATE_DAYS: Final = 7
"""How long after the first day of its offers a campaign may still be run: theirs is a month or two in all."""
LOOK_S: Final = 0.2
"""Pause between two looks at what is left."""

MAY_RUN: Final[tuple[CampaignState, ...]] = ("planned", "paused", "running")
NOT_TO_RUN: Final[dict[CampaignState, str]] = {
    "open": "it is no campaign of a file",
    "created": "`offers campaign plan {name}` is next",
    "cancelled": "create another one for the rest of the file",
}

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: the campaign as it is now."""

    campaign: Campaign

    @property
    def is_done(self) -> bool:
        """Whether everything is decided."""
        return self.campaign.state == "done"


class Driver:
    """Runs one campaign. `workers` is how many processes (None: as it suits the size and the machine)."""

    def __init__(self, deps: Deps, campaign: Campaign, *, workers: int | None = None) -> None:
        self._deps, self._campaign, self._workers = deps, campaign, workers
        self._campaigns = Campaigns(deps.database)
        self._chunks = Chunks(
            deps.database,
            campaign_id=campaign.campaign_id,
            owner="driver",
            table=deps.settings.cardmember_table,
            zone=deps.zone,
        )
        self._engine: Engine | None = None

    def stop(self) -> None:
        """Let the workers end after what they are at; the campaign is paused then."""
        if self._engine is not None:
            self._engine.stop()

    async def run(self) -> Ran:
        """Work until the campaign is done or isn't running any more.

        Raises CampaignRefused in a state that can't be run, and while another driver lives; PoliciesUnavailable when
        it was planned under other rules, DatabaseUnavailable when the database stays away.
        """
        of = self._campaign.campaign_id
        if self._campaign.state == "done":
            return Ran(self._campaign)
        if self._campaign.state not in MAY_RUN:
            raise CampaignRefused(refusal(self._campaign, "run", NOT_TO_RUN[self._campaign.state]))
        self._refuse_late()
        async with driving(self._deps, self._campaign):
            now = await self._campaigns.named(self._campaign.name)
            if now.planned_at != self._campaign.planned_at:
                raise CampaignRefused(refusal(now, "run", "it was planned anew just now: run it again"))
            if differences := changed(self._campaign.versions, self._deps):
                raise PoliciesUnavailable(CHANGED.format(name=self._campaign.name, what="; ".join(differences)))
            await self._campaigns.move(of, "running", only_from=MAY_RUN)
            try:
                await self._work()
            except BaseException as error:  # whatever ends the run, the campaign says why it stands still
                await asyncio.shield(self._pause(_note_of(error)))
                raise
            await self._pause("stopped by hand")  # unless it is done, or somebody paused it
        return Ran(await insisting(lambda: self._campaigns.named(self._campaign.name)))

    def _refuse_late(self) -> None:
        send_date = Spec.model_validate(self._campaign.spec).send_date
        late = (self._deps.today() - send_date).days
        if late > LATE_DAYS:
            words = f"its offers began {late} days ago, on {send_date}: create another one for the rest of the file"
            raise CampaignRefused(refusal(self._campaign, "run", words))

    async def _pause(self, note: str) -> None:
        await self._campaigns.move(self._campaign.campaign_id, "paused", only_from=("running",), note=note)

    async def _work(self) -> None:
        self._engine = self._engine_of()
        working = asyncio.create_task(self._engine.work())
        watching = asyncio.create_task(self._watch())
        missing = asyncio.create_task(self._miss())
        try:
            await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            await working
            await insisting(self._end)
        finally:
            self._engine.stop()
            for task in (working, watching, missing):
                if not task.done():
                    task.cancel()
            await asyncio.gather(working, watching, missing, return_exceptions=True)

    def _engine_of(self) -> Engine:
        name, spec = self._campaign.name, self._campaign.spec
        if spec.get("engine") == "ray" and self._workers != 0:
            from server.campaign.engines.on_ray import RayEngine

            return RayEngine(self._deps, self._campaign, self._chunks, workers=self._workers)
        workers = self._workers
        if workers is None:
            planned = int(self._campaign.plan.get("open", 0))
            workers = 0 if planned < SMALL else min(8, os.cpu_count() or 1)
        return (
            Processes(name, self._deps.settings, workers=workers) if workers else InProcess(self._deps, self._campaign)
        )

    async def _watch(self) -> None:
        """Allot the money once every cohort has its draft; the workers wait for it."""
        while True:
            campaign = await insisting(lambda: self._campaigns.named(self._campaign.name))
            if campaign.allotted_at is not None or campaign.state != "running":
                return
            if (await insisting(self._chunks.left)).cohorts == 0:
                found = await insisting(self._allot)
                _logger.info("campaign %s: %s", campaign.name, found)
                return
            await asyncio.sleep(LOOK_S)

    async def _miss(self) -> None:
        """Give back what dead workers had, this driver's and those of one before it."""
        missing = Missing(self._deps.database, self._campaign.campaign_id)
        while True:
            await insisting(missing.give_back)
            await asyncio.sleep(PRESENCE_S)

    async def _allot(self) -> object:
        prices = self._deps.settings.prices
        spent = None
        if prices is not None:
            spent = await spent_usd(self._deps.database, self._campaign.campaign_id, prices)
        return await allot(self._deps.database, self._campaign, model_usd=spent or Decimal(0))

    async def _end(self) -> None:
        left = await self._chunks.left()
        counts = await self._campaigns.counts(self._campaign.campaign_id)
        if left.cohorts == left.chunks == counts.open_ == 0:
            await self._campaigns.move(self._campaign.campaign_id, "done", only_from=("running",))


def _note_of(error: BaseException) -> str:
    if isinstance(error, OfferGraphError):
        return str(error)
    is_stop = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
    return (
        "stopped by hand" if is_stop else f"an unforeseen fault ({type(error).__name__}); the log of its run says more"
    )


@asynccontextmanager
async def driving(deps: Deps, campaign: Campaign) -> AsyncIterator[None]:
    """Be the campaign's one driver. Raises CampaignRefused while another one lives."""
    pool = await deps.database.pool()
    conninfo = pool.conninfo
    assert isinstance(conninfo, str)  # as `Database` opens it
    connection = await AsyncConnection.connect(conninfo, autocommit=True)
    try:
        cursor = await connection.execute(
            f"select pg_try_advisory_lock({DRIVER_KEY})".encode(), {"campaign_id": campaign.campaign_id}
        )
        row = await cursor.fetchone()
        if row is None or not row[0]:
            words = "another process runs it: `offers campaign status {name} --watch` shows how far it is"
            raise CampaignRefused(refusal(campaign, "run", words))
        yield
    finally:
        try:
            await connection.close()
        except psycopg.Error as error:  # the server dropped the lock with the connection
            _logger.warning("the driver's connection of campaign %s was lost: %s", campaign.name, error)
