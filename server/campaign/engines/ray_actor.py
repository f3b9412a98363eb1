"""One worker of a campaign as an actor of Ray Data. A batch is the whole of its work, however many pieces that is."""

import asyncio
import logging
from typing import Any, Final

from graph.settings import taken_over
from server.campaign.working import Worker
from server.commands.session import Session, open_session
from tools.errors import OfferGraphError, PoliciesUnavailable
from tools.ledger.campaigns import Campaigns

REFUSED: Final = "refused"
"""Column that says why the worker can't go on as planned, or nothing."""
FAILED: Final = "failed"
"""Column that says what the worker gave up for, or nothing."""
MOST_FAILURES: Final = 3
"""Failures in a row, with nothing finished between, after which a worker gives up."""
PAUSE_S: Final = 0.5

_logger = logging.getLogger(__name__)


class WorkerActor:
    """Works on a campaign, over one session: a pool of connections, a client of the model, the policies in force.

    What goes wrong is told as data: an exception out of a batch ends the whole job, and with it every other actor.
    """

    def __init__(self, campaign: str, settings: str) -> None:
        self._campaign, self._settings = campaign, taken_over(settings)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Work until nothing is left; return one row per token of the batch."""
        told = [asyncio.run(self._told()) for _ in batch["item"]]
        return {REFUSED: [refused for refused, _ in told], FAILED: [failed for _, failed in told]}

    async def _told(self) -> tuple[str, str]:
        self._failures = 0
        while True:
            try:
                async with open_session(self._settings) as session:
                    await self._work(session)
                return "", ""
            except PoliciesUnavailable as error:
                return str(error), ""
            except OfferGraphError as error:
                self._failures += 1
                _logger.warning("a worker of campaign %s failed: %s", self._campaign, error)
                if self._failures >= MOST_FAILURES:
                    return "", f"{type(error).__name__}: {error}"
            await asyncio.sleep(PAUSE_S)

    async def _work(self, session: Session) -> None:
        await session.connect()
        await session.sync_index()
        campaign = await Campaigns(session.deps.database).named(self._campaign)
        await Worker(session.deps, campaign, progressed=self._progressed).work()

    def _progressed(self) -> None:
        self._failures = 0
