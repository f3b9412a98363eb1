"""Workers as actors of a Ray cluster: an existing one, or one on this machine.

Ray Data maps actors over tokens, one for each worker, and a token is all of one worker's work. The ledger hands out
cohorts and chunks as it does to processes, so which actor does what changes nothing, and what an actor or a node that
dies had goes on elsewhere. `docs/cluster.md` says how to run it on several machines.
"""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from typing import Final

from graph.deps import Deps
from graph.settings import handed_over
from server.campaign.engines.ray_actor import FAILED, REFUSED
from server.campaign.engines.ray_job import LOCAL
from server.campaign.insisting import insisting
from tools.errors import PartMissing, PoliciesUnavailable, RetryableError, SettingInvalid
from tools.ledger.campaigns import Campaign, Campaigns
from tools.ledger.chunks import Chunks

ADDRESS: Final = "RAY_ADDRESS"
"""Environment variable that names the cluster; without it one is started on this machine."""
LOOK_S: Final = 0.5
"""Pause between two looks at whether anything is left."""
LEAVE_S: Final = 10.0
"""How long actors may take to end by themselves once nothing is left."""
LONGEST_LINE: Final = 1 << 20

_logger = logging.getLogger(__name__)


class ClusterLost(RetryableError):
    """Ray's job failed: what is decided stays, and another run goes on from there."""

    code = "cluster_lost"


class RayEngine:
    """Runs a campaign's workers on Ray. `workers` is how many actors (None: one for each CPU of the cluster).

    Raises PartMissing without Ray, SettingInvalid for a cluster that can't reach the database.
    """

    def __init__(self, deps: Deps, campaign: Campaign, chunks: Chunks, *, workers: int | None) -> None:
        self._campaign, self._chunks, self._workers = campaign, chunks, workers
        self._campaigns = Campaigns(deps.database)
        self._settings = handed_over(deps.settings)
        self._address = os.environ.get(ADDRESS) or LOCAL
        self._note: str | None = None
        self._refused: str | None = None
        self._failed: str | None = None
        self._last: deque[str] = deque(maxlen=1)
        if find_spec("ray") is None or find_spec("pyarrow") is None:
            raise PartMissing("engine is 'ray', and Ray is not installed: pip install 'offergraph[ray]'")
        if self._address != LOCAL and deps.settings.database_url is None:
            raise SettingInvalid(
                f"DATABASE_URL is unset and {ADDRESS} is {self._address!r}: the nodes of a cluster need a PostgreSQL"
                f" that each of them reaches. Set DATABASE_URL, or unset {ADDRESS} for a cluster on this machine."
            )

    async def work(self) -> None:
        """Work until the actors have ended. Raises ClusterLost, and what `Engine.work` raises."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.campaign.engines.ray_job", self._campaign.name,
            stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LONGEST_LINE, start_new_session=True,
            env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        )  # fmt: skip
        following = asyncio.create_task(self._follow(process))
        looking = asyncio.create_task(self._until_over())
        try:
            await asyncio.wait((following, looking), return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                looking.result()
                # The token of an actor whose node is gone waits for another node, maybe for ever.
                await asyncio.wait((following,), timeout=LEAVE_S)
        finally:
            for task in (following, looking):
                task.cancel()
            await asyncio.gather(following, looking, return_exceptions=True)
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
            await process.wait()
        await self._judge(process.returncode)

    def stop(self) -> None:
        """Pause the campaign: actors look at its state before each piece of work."""
        self._note = self._note or "stopped by hand"

    async def _judge(self, code: int | None) -> None:
        if self._refused is not None:
            raise PoliciesUnavailable(self._refused)
        if await self._is_over() or (code == 0 and self._failed is None):
            return
        why = self._failed or next(iter(self._last), "") or f"its process ended with {code}"
        raise ClusterLost(f"Ray's job of campaign {self._campaign.name} failed: {why[:300]}")

    async def _follow(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        given = {"settings": self._settings, "workers": self._workers, "address": self._address}
        with suppress(ConnectionError):  # then its exit code says more
            process.stdin.write(f"{json.dumps(given)}\n".encode())
            await process.stdin.drain()
        errors = asyncio.create_task(self._read_errors(process.stderr))
        async for line in process.stdout:
            if line.startswith(b"{"):  # libraries may print as well
                self._hear(json.loads(line))
        await errors
        await process.wait()

    def _hear(self, told: dict[str, str]) -> None:
        self._failed = told[FAILED] or self._failed
        if told[REFUSED]:
            self._refused = self._note = told[REFUSED]

    async def _read_errors(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            if text := line.decode(errors="replace").strip():
                self._last.append(text)
                _logger.debug("ray: %s", text)

    async def _until_over(self) -> None:
        """Wait until nothing is left, or the campaign isn't running and nobody is at work on it any more."""
        while True:
            if note := self._note:
                await insisting(partial(self._pause, note))
            if await self._is_over():
                return
            await asyncio.sleep(LOOK_S)

    async def _pause(self, note: str) -> None:
        await self._campaigns.move(self._campaign.campaign_id, "paused", only_from=("running",), note=note)

    async def _is_over(self) -> bool:
        now = await insisting(lambda: self._campaigns.named(self._campaign.name))
        left = await insisting(self._chunks.left)
        ended = now.state != "running" or (now.allotted_at is not None and left.chunks == 0)
        return ended and left.cohorts_held == left.chunks_held == 0
