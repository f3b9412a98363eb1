"""Workers as actors of a Ray cluster: an existing one, or one on this machine.

Ray Data maps actors over tokens, one for each worker, and a token is one `Worker.work`. The ledger hands out cohorts
and chunks as it does to processes, so which actor does what changes nothing, and what an actor or a node that dies had
goes on when its lease ends. `docs/cluster.md` says how to run it on several machines.
"""

import asyncio
import logging
import os
from typing import Any, Final

from graph.settings import Settings, handed_over, taken_over
from tools.errors import PartMissing, PoliciesUnavailable, RetryableError

ADDRESS: Final = "RAY_ADDRESS"
"""Environment variable that names the cluster; without it one is started on this machine."""

_logger = logging.getLogger(__name__)


class ClusterLost(RetryableError):
    """Ray's job failed: what is decided stays, and another run goes on from there."""

    code = "cluster_lost"


class RayEngine:
    """Runs a campaign's workers on Ray. `workers` is how many actors (None: one for each CPU of the cluster)."""

    def __init__(self, campaign: str, settings: Settings, *, workers: int | None) -> None:
        self._campaign, self._settings, self._workers = campaign, settings, workers

    async def work(self) -> None:
        """Work until the actors have ended. Raises PartMissing without Ray, and what `Engine.work` raises."""
        refused = await asyncio.to_thread(self._mapped)
        if refused:
            raise PoliciesUnavailable(refused[0])

    def stop(self) -> None:
        """Nothing to do: actors look at the campaign's state before each piece of work."""

    def _mapped(self) -> list[str]:
        ray = _ray()
        started = not ray.is_initialized()
        if started:
            ray.init(
                address=os.environ.get(ADDRESS, "local"),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.WARNING,
                configure_logging=False,
            )
        try:
            workers = self._workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            tokens = ray.data.range(workers, override_num_blocks=workers)
            told = tokens.map_batches(
                _Actor,
                fn_constructor_args=(self._campaign, handed_over(self._settings)),
                batch_size=1,
                concurrency=workers,
                num_cpus=1,
                max_restarts=-1,
                max_task_retries=-1,
            )
            return [row["refused"] for row in told.take_all() if row["refused"]]
        except (ray.exceptions.RayError, RuntimeError) as error:
            raise ClusterLost(f"Ray's job of campaign {self._campaign} failed: {_first_line(error)}") from error
        finally:
            if started:
                ray.shutdown()


class _Actor:
    """One worker. A batch is one token; what it says is why it can't go on as planned, or nothing."""

    def __init__(self, campaign: str, settings: str) -> None:
        self._campaign, self._settings = campaign, taken_over(settings)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import numpy

        return {"refused": numpy.array([asyncio.run(self._worked()) for _ in batch["id"]])}

    async def _worked(self) -> str:
        from server.campaign.working import Worker
        from server.commands.session import open_session
        from tools.ledger.campaigns import Campaigns

        async with open_session(self._settings) as session:
            await session.connect()
            await session.sync_index()
            campaign = await Campaigns(session.deps.database).named(self._campaign)
            try:
                await Worker(session.deps, campaign).work()
            except PoliciesUnavailable as error:
                return str(error)
        return ""


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise PartMissing("engine is 'ray', and Ray is not installed: pip install 'offergraph[ray]'") from error
    return ray


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
