"""The process's graph and services, as the routes use them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import psycopg

from graph.context import Context
from graph.deps import Deps
from graph.live import Live
from graph.run import Step, decide, steps
from graph.schemas import OfferOutput
from graph.settings import Settings
from tools.errors import OfferGraphError, PoliciesUnavailable

MAX_ITEMS: Final = 500
"""Predictions one call may carry."""
RETRY_S: Final = 2.0
WATCH_S: Final = 2.0
"""Seconds between looks at the policy epoch; offers don't depend on it, their claim compares epochs itself."""

PartName = Literal["database", "index", "model"]
PARTS: Final[tuple[PartName, ...]] = ("database", "index", "model")

_logger = logging.getLogger(__name__)


def too_many(count: int) -> str:
    """Say that a call carries more than it may."""
    return f"{count} predictions in one call; at most {MAX_ITEMS} are allowed: use more calls, or a campaign"


@dataclass(slots=True)
class Pipeline:
    """Graph and services, opened when the server starts.

    `answered` are the parts that ever did, `faults` says why a part doesn't now, `asking` are those being asked.
    """

    settings: Settings
    _live: Live | None = None
    answered: set[PartName] = field(default_factory=set)
    faults: dict[PartName, str] = field(default_factory=dict)
    asking: set[PartName] = field(default_factory=set)
    _warming: asyncio.Task[None] | None = None

    @property
    def live(self) -> Live:
        """Return the graph and services, under whichever policies are in force."""
        assert self._live is not None, "the pipeline is used before its lifespan"
        return self._live

    @property
    def deps(self) -> Deps:
        """Return the services under the policies loaded last."""
        return self.live.deps

    @property
    def deadline_s(self) -> float:
        """Return how long a run may take, in seconds."""
        return self.settings.run_deadline_s

    async def open(self) -> None:
        """Read the rulebook and start to wake the parts; a part that is down leaves the server degraded, not dead."""
        self._live = await Live.open(self.settings)
        self._warming = asyncio.create_task(self._warm())

    async def aclose(self) -> None:
        """Stop waking parts and close the services."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        if self._live is not None:
            await self._live.aclose()

    async def decide_all(self, items: Sequence[Any], context: Context) -> list[OfferOutput]:
        """Run predictions concurrently; the outcomes come in the order of the items."""
        return list(await asyncio.gather(*(self.decide(item, context) for item in items)))

    async def decide(self, item: Any, context: Context) -> OfferOutput:
        """Run one prediction and return its outcome."""
        graph, deps = await self.live.current()
        return await decide(item, graph, context, deadline_s=self.deadline_s, deps=deps, renew=self.live.renew)

    async def steps(self, item: Any, context: Context) -> AsyncGenerator[Step, None]:
        """Run one prediction; yield the nodes that finish, then the outcome."""
        graph, deps = await self.live.current()
        taken = steps(item, graph, context, deadline_s=self.deadline_s, deps=deps, renew=self.live.renew)
        async with aclosing(taken):
            async for step in taken:
                yield step

    def condition(self, part: PartName) -> str:
        """Return "ok" when the part answered the last time it was asked, else why not."""
        if part in self.asking:
            return self.faults.get(part, "no answer yet")
        return self.faults.get(part, "ok" if part in self.answered else "not asked yet")

    async def check(self) -> bool:
        """Ask every part for a sign of life; return whether the server is ready."""
        await asyncio.gather(self.live.follow_prompts(), *(self._check(part) for part in PARTS))
        return "database" not in self.faults and self.answered.issuperset(PARTS)

    async def _warm(self) -> None:
        while not await self.check():
            _logger.info("waiting for %s", ", ".join(f"{part} ({why})" for part, why in self.faults.items()))
            await asyncio.sleep(RETRY_S)
        while True:
            await asyncio.sleep(WATCH_S)
            await self._watch()

    async def _watch(self) -> None:
        """Follow edited prompts, and policies that another process approved, for routes that claim nothing."""
        await self.live.follow_prompts()
        if "database" in self.faults:
            return
        try:
            await self.live.refresh()
        except OfferGraphError as error:
            _logger.warning("policies: %s", error)

    async def _check(self, part: PartName) -> None:
        if part in self.asking:
            return  # the warming task and a health probe ask a part once between them
        self.asking.add(part)
        try:
            await self._ask(part)
        except (OfferGraphError, psycopg.Error) as error:
            self.faults[part] = str(error)
        else:
            self.faults.pop(part, None)
            self.answered.add(part)
        finally:
            self.asking.discard(part)

    async def _ask(self, part: PartName) -> None:
        deps = self.deps
        match part:
            case "database":
                try:
                    await self.live.refresh()  # a sign of life, and the policies in force
                except PoliciesUnavailable as error:
                    _logger.warning("%s", error)  # the database did answer; /health says why nothing is issued
            case "index":
                if part in self.answered and part not in self.faults:
                    await deps.index.status()
                else:
                    await deps.sync_index()
            case "model":
                await deps.model.probe()
