"""Workers of this machine: one in this process, or several processes of their own."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final

from graph.deps import Deps
from graph.settings import Settings, handed_over
from server.campaign.insisting import first_of
from server.campaign.working import Worker
from tools.errors import PoliciesUnavailable, RetryableError
from tools.ledger.campaigns import Campaign

STOPPED: Final = 3
"""Exit code of a worker whose campaign isn't running any more."""
REFUSED: Final = 4
"""Exit code of a worker that can't go on as planned; its last line says why."""
MOST_DEATHS_IN_A_ROW: Final = 10
"""Workers that may die one after the other with nothing finished between."""
RESTART_S: Final = 0.5

_logger = logging.getLogger(__name__)


class WorkersLost(RetryableError):
    """Worker processes keep dying."""

    code = "workers_lost"


class InProcess:
    """One worker in this process: no start-up, and one core."""

    def __init__(self, deps: Deps, campaign: Campaign) -> None:
        self._worker = Worker(deps, campaign)

    async def work(self) -> None:
        """Work until it is done."""
        await self._worker.work()

    def stop(self) -> None:
        """Claim nothing more."""
        self._worker.stop()


class Processes:
    """Several worker processes. One that dies is replaced; what it had goes on when its lease ends.

    Each gets its settings on its standard input and goes on reading it: when this process ends, however it ends, they
    see it closed and end after what they are at.
    """

    def __init__(self, campaign: str, settings: Settings, *, workers: int) -> None:
        self._campaign, self._count = campaign, workers
        self._settings = f"{handed_over(settings)}\n".encode()
        self._stopping = False
        self._deaths = 0
        self._processes: set[Process] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        return [process.pid for process in self._processes]

    async def work(self) -> None:
        """Keep the workers going until all have ended by themselves."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._count):
                    group.create_task(self._keep_one())
        except BaseExceptionGroup as several:
            first = first_of(several)
            raise first from first.__cause__
        finally:
            for process in list(self._processes):
                _signalled(process, signal.SIGKILL)

    def stop(self) -> None:
        """Let the workers end after what they are at."""
        self._stopping = True
        for process in self._processes:
            _signalled(process, signal.SIGTERM)

    async def _keep_one(self) -> None:
        while not self._stopping:
            code, told = await self._run_one()
            if code in (0, STOPPED) or self._stopping:
                return
            if code == REFUSED:
                self.stop()
                raise PoliciesUnavailable(told)
            self._deaths += 1
            _logger.warning("a worker of campaign %s ended with %s; another takes its place", self._campaign, code)
            if self._deaths >= MOST_DEATHS_IN_A_ROW:
                self.stop()
                last = f"the last with exit code {code}: {told or 'it said nothing'}"
                raise WorkersLost(f"{self._deaths} workers of campaign {self._campaign} died, {last}")
            await asyncio.sleep(RESTART_S)

    async def _run_one(self) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.campaign.worker", self._campaign,
            stdin=PIPE, stdout=PIPE, env=os.environ, start_new_session=True,
        )  # fmt: skip
        self._processes.add(process)
        last = ""
        try:
            assert process.stdout is not None and process.stdin is not None
            process.stdin.write(self._settings)
            async for line in process.stdout:
                last = line.decode(errors="replace").strip() or last
                if last == PROGRESS:
                    self._deaths, last = 0, ""
            return await process.wait(), last
        finally:
            self._processes.discard(process)
            if process.returncode is None:
                process.kill()


def _signalled(process: Process, signum: signal.Signals) -> None:
    """Send a signal to a process that may have ended this moment."""
    try:
        process.send_signal(signum)
    except ProcessLookupError:
        return


PROGRESS: Final = "chunk"
"""What a worker writes for each piece of work it has finished."""
