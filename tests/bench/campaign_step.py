"""One step of a campaign in a process of its own: `python -m tests.bench.campaign_step create|plan|run NAME FILE`.

The first line of standard input are its settings. The last line of its output says, as JSON, what the step took and how
much memory the process and its workers ever had.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from graph.settings import Settings, taken_over
from server.campaign.intake import take_in
from server.campaign.spec import Personalisation, Spec
from server.commands.campaign_follow import shown
from server.commands.campaign_ledger import lent
from tools.database import Database
from tools.ledger.campaigns import Campaigns

if TYPE_CHECKING:
    from server.commands.session import Session

BUDGET: Final = Decimal("9000000000")
"""More than all offers cost: money is counted, and nobody goes without."""
SAMPLE_S: Final = 0.2


@dataclass(slots=True)
class Step:
    """What a step took. Seconds leave out how long the process takes to start; peaks are VmHWM in MB.

    `cpu` are (monotonic seconds, CPU seconds of process and workers) from time to time.
    """

    seconds: float = 0.0
    peak_mb: float = 0.0
    worker_peaks_mb: dict[int, float] = field(default_factory=dict)
    cpu: list[tuple[float, float]] = field(default_factory=list)

    def cpu_between(self, begin: float, end: float) -> float:
        """Return the CPU seconds spent between two moments, as far as they were looked at."""
        inside = [cpu for at, cpu in self.cpu if begin <= at <= end]
        return inside[-1] - inside[0] if inside else 0.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of process and workers, their start included."""
        return self.cpu[-1][1]


async def main(arguments: argparse.Namespace, settings: Settings) -> Step:
    """Run the step and return what it took."""
    step = Step()
    if arguments.verb == "create":  # as the command, which loads no policies
        async with lent(settings) as database:
            await _measured(step, _created(arguments, database))
    else:
        from server.commands.session import open_session

        async with open_session(settings) as session:
            await session.connect()
            await session.sync_index()
            await _measured(step, _planned_or_run(arguments, session))
    step.peak_mb = peak_mb(os.getpid())
    return step


async def _measured(step: Step, working: Awaitable[None]) -> None:
    async with _looked_at(step):
        begun = time.perf_counter()
        await working
        step.seconds = time.perf_counter() - begun


async def _created(arguments: argparse.Namespace, database: Database) -> None:
    today = datetime.now(UTC).date()
    spec = Spec(
        name=arguments.name, budget_usd=BUDGET, send_date=today, personalisation=arguments.personalisation
    )  # fmt: skip
    await take_in(database, spec, arguments.file)


async def _planned_or_run(arguments: argparse.Namespace, session: "Session") -> None:
    from server.campaign.plan import plan
    from server.campaign.run import Driver

    deps, name = session.deps, arguments.name
    campaign = await Campaigns(deps.database).named(name)
    if arguments.verb == "plan":
        await plan(campaign, deps)
        return
    async with shown(name, session.settings):  # as the command does: looking on is part of what a run costs
        ran = await Driver(deps, campaign, workers=arguments.workers).run()
    if not ran.is_done:
        raise SystemExit(f"campaign {name} is {ran.campaign.state}: {ran.campaign.note}")


@asynccontextmanager
async def _looked_at(step: Step) -> AsyncIterator[None]:
    """Note what processes use as long as they live: a process that has ended can't be asked."""

    async def look() -> None:
        ended: dict[int, float] = {}
        while True:
            for pid in _workers():
                step.worker_peaks_mb[pid] = max(step.worker_peaks_mb.get(pid, 0.0), peak_mb(pid))
                ended[pid] = max(ended.get(pid, 0.0), _cpu_s(pid))
            step.cpu.append((time.monotonic(), time.process_time() + sum(ended.values())))
            await asyncio.sleep(SAMPLE_S)

    looking = asyncio.create_task(look())
    try:
        yield
        await asyncio.sleep(0)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def _workers() -> list[int]:
    pid = os.getpid()
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def peak_mb(pid: int) -> float:
    """Return the most memory a process ever had; 0 for one that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _cpu_s(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.campaign_step", description=__doc__)
    parser.add_argument("verb", choices=("create", "plan", "run"))
    parser.add_argument("name")
    parser.add_argument("file", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--personalisation", choices=get_args(Personalisation), default="cohort")
    told = asyncio.run(main(parser.parse_args(), taken_over(sys.stdin.readline())))
    print(json.dumps(asdict(told)), flush=True)
