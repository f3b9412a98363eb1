"""Work on campaigns that a server process does beside its requests: one piece at a time for each campaign."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from server.campaign.steering import CampaignRefused
from tools.errors import OfferGraphError

PATIENCE_S = 2.0
"""How long a request waits for what it started, so that what fails at once is told in its reply."""

_logger = logging.getLogger(__name__)


class Background:
    """Runs plans and drivers as tasks of this process. All of them end with it, as after Ctrl-C.

    `faults` has, by campaign, why the last piece of work failed; nothing where it didn't.
    """

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[Any]] = {}
        self.faults: dict[int, str] = {}

    async def start(self, campaign_id: int, work: Coroutine[Any, Any, Any], *, name: str, what: str) -> bool:
        """Start work on a campaign, wait a moment, and return whether it has ended.

        Raises what the work raised in that moment; what fails later is logged and kept in `faults`. Raises
        CampaignRefused while this process is at work on the campaign already.
        """
        if campaign_id in self._tasks:
            work.close()
            raise CampaignRefused(
                f"campaign {name} can't be {what}: this server is at work on it; see /campaigns/{name}"
            )
        self.faults.pop(campaign_id, None)
        task = asyncio.create_task(work, name=f"campaign {name}")
        self._tasks[campaign_id] = task
        task.add_done_callback(lambda ended: self._ended(campaign_id, ended))
        await asyncio.wait({task}, timeout=PATIENCE_S)
        if task.done():
            task.result()
        return task.done()

    async def settled(self) -> None:
        """Wait until all work has ended."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def aclose(self) -> None:
        """Stop all work as Ctrl-C would, and wait until it has let go."""
        for task in self._tasks.values():
            task.cancel()
        await self.settled()

    def _ended(self, campaign_id: int, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(campaign_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.warning("%s: %s", task.get_name(), error)
            self.faults[campaign_id] = str(error) if isinstance(error, OfferGraphError) else type(error).__name__
