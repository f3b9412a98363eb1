"""One worker of a campaign: it claims cohorts, then chunks, until nothing is left or the campaign stops running.

Any number may work at once, in any process on any machine that reaches the database: the ledger hands out the work, and
the leases see to what dies.
"""

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from graph.cohort import changed
from graph.deps import Deps
from server.campaign.drafting import Drafting
from server.campaign.fan_out import FanOut
from server.campaign.insisting import first_of, insisting
from server.campaign.spec import Spec
from tools.errors import DatabaseUnavailable, OfferGraphError, PoliciesUnavailable
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.chunks import Chunks, ChunkWork
from tools.ledger.cohorts import Cohorts, CohortWork
from tools.ledger.presence import present
from tools.ledger.spent import standing_of
from tools.ledger.usage import Spending, spending_for

DRAFTS_A_CALL: Final = 1.25
"""Drafts under way for each call that may be: some are checked and written while others wait for their answer.

More would wait for their turn at a slow endpoint until their call's time is over.
"""
CHUNKS_AT_ONCE: Final = 2
"""Chunks a worker has: while one is decided, the next is read and the last one written."""
CHUNK_LEASE_S: Final = 60.0
"""How long a chunk is kept from others; deciding one takes a second or two."""
POLL_S: Final = 0.2
"""Pause before looking again for work that others may leave, or for a campaign that may be paused."""

Ended = Literal["finished", "stopped"]

_logger = logging.getLogger(__name__)


class Worker:
    """Works on one campaign until its work is done. `stop` ends it after what it is at.

    `progressed` is called after each cohort and chunk.
    """

    def __init__(
        self,
        deps: Deps,
        campaign: Campaign,
        *,
        owner: str | None = None,
        progressed: Callable[[], None] = lambda: None,
    ) -> None:
        settings = deps.settings
        self.owner = owner or f"worker-{secrets.token_hex(8)}"
        self._deps, self._campaign = deps, campaign
        self._campaigns = Campaigns(deps.database)
        self.chunks = Chunks(
            deps.database,
            campaign_id=campaign.campaign_id,
            owner=self.owner,
            table=settings.cardmember_table,
            zone=deps.zone,
            planned_at=campaign.planned_at,
        )
        self.cohorts = Cohorts(
            deps.database, campaign_id=campaign.campaign_id, owner=self.owner, planned_at=campaign.planned_at
        )
        spec = Spec.model_validate(campaign.spec)
        assert campaign.sent_at is not None  # set when the file was taken in
        self._drafting = Drafting(
            deps, self.cohorts, campaign_id=campaign.campaign_id, spec=spec, sent_at=campaign.sent_at
        )
        self._fan_out = FanOut(deps, self.chunks, campaign=campaign.name)
        self._stopping, self._claiming = asyncio.Event(), asyncio.Lock()
        self._none_until = -math.inf
        self._progressed = progressed

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()

    async def work(self) -> Ended:
        """Work until nothing is left or the campaign isn't running any more.

        Raises PoliciesUnavailable when rules, prompts or models are not those of the plan, BudgetCut, and
        DatabaseUnavailable when the database stays away.
        """
        if differences := changed(self._campaign.versions, self._deps):
            raise PoliciesUnavailable(CHANGED.format(name=self._campaign.name, what="; ".join(differences)))
        spending_for.set(Spending(self._campaign.campaign_id, strict=True))
        async with present(self._deps.database, self.owner):
            return await self._until_done()

    async def _until_done(self) -> Ended:
        try:
            while True:
                now = await insisting(lambda: self._campaigns.named(self._campaign.name))
                is_mine = now.state == "running" and now.planned_at == self._campaign.planned_at
                if self._stopping.is_set() or not is_mine:
                    return "stopped"
                did = await (self._draft() if now.allotted_at is None else self._decide())
                if not did:
                    left = await insisting(self.chunks.left)
                    if now.allotted_at is not None and left.chunks == 0:
                        return "finished"
                    await self._pause()
        finally:
            self._fan_out.close()

    async def _draft(self) -> bool:
        """Draft cohorts, as many at once as keep the endpoint asked; return whether there were any.

        While the endpoint is away nothing is claimed but, now and then, the cohort whose prompts find out; nothing
        while it asks to be left alone.
        """
        traffic = self._deps.model.traffic
        self._none_until = -math.inf
        if traffic.is_held:
            return False
        if traffic.breaker.is_open:
            return traffic.breaker.may_probe and await self._draft_one()
        return await self._many(math.floor(self._deps.model.max_concurrency * DRAFTS_A_CALL), self._draft_one)

    async def _decide(self) -> bool:
        return await self._many(CHUNKS_AT_ONCE, self._decide_one)

    async def _many(self, at_once: int, one: Callable[[], Awaitable[bool]]) -> bool:
        """Run one step over and over, so many at a time, until there is nothing to claim."""

        async def again() -> int:
            did = 0
            while not self._stopping.is_set() and await one():
                did += 1
            return did

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(again()) for _ in range(at_once)]
        except BaseExceptionGroup as several:
            first = first_of(several)
            raise first from first.__cause__
        return any(task.result() for task in tasks)

    async def _draft_one(self) -> bool:
        work = await self._next_cohort()
        if work is None:
            return False
        if not await self._drafting.draft(work):
            self._none_until = -math.inf  # it may be claimed again
        self._progressed()
        traffic = self._deps.model.traffic
        return not (traffic.breaker.is_open or traffic.is_held)

    async def _next_cohort(self) -> CohortWork | None:
        """Claim a cohort. A hundred who ask at once are told that there is none by one look at the ledger."""
        async with self._claiming:
            if self._stopping.is_set() or time.monotonic() < self._none_until:
                return None
            work = None
            if not await self._is_spent():
                work = await insisting(lambda: self.cohorts.claim_cohort(self._drafting.lease_s))
            if work is None:
                self._none_until = time.monotonic() + POLL_S
            return work

    async def _is_spent(self) -> bool:
        """Pause the campaign once models and offers have cost what it may in all; calls under way still come in."""
        prices = self._deps.settings.prices
        if prices is None:
            return False
        of = self._campaign.campaign_id
        now = await insisting(lambda: standing_of(self._deps.database, of, prices))
        if now is None or not now.is_spent:
            return False
        if (await insisting(self.chunks.left)).cohorts == 0:
            return False  # nothing is left to ask a model
        note = SPENT.format(spent=now.spent_usd, offers=now.used_usd, budget=now.limit_usd)
        await insisting(lambda: self._campaigns.move(of, "paused", only_from=("running",), note=note))
        return True

    async def _decide_one(self) -> bool:
        work = await insisting(lambda: self.chunks.claim_chunk(CHUNK_LEASE_S))
        if work is None:
            return False
        renewing = asyncio.create_task(self._renew(work))
        try:
            await insisting(lambda: self._fan_out.run_chunk(work))
        except DatabaseUnavailable:
            raise
        except (asyncio.CancelledError, OfferGraphError):  # the worker ends, and not by this chunk's fault
            giving = insisting(lambda: self.chunks.give_back_chunk(work.chunk_no, attempt=work.attempt))
            await asyncio.shield(giving)
            raise
        finally:
            renewing.cancel()
        self._progressed()
        return True

    async def _renew(self, work: ChunkWork) -> None:
        """Keep a chunk while this process lives and moves, however slow its machine is."""
        while True:
            await asyncio.sleep(CHUNK_LEASE_S / 4)
            if not await insisting(lambda: self.chunks.renew_chunk(work, CHUNK_LEASE_S)):
                return

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), POLL_S)
        except TimeoutError:
            return


SPENT: Final = (
    "its model calls have cost {spent:,.2f} USD, its offers {offers:,.2f} USD, and its budget is {budget:,.2f} USD"
)
CHANGED: Final = "campaign {name} was planned under other rules: {what}; `offers campaign plan {name}` plans it anew"
