"""What `offers campaign run` shows while it runs, and how Ctrl-C ends it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from server.campaign.watching import looks
from server.commands.campaign_ledger import lent
from server.commands.console import err, warn
from tools.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from graph.settings import Settings
    from server.campaign.run import Driver


@asynccontextmanager
async def shown(name: str, settings: "Settings") -> AsyncIterator[None]:
    """Show how far the campaign is while the block runs: one bar for drafts, one for members."""
    following = asyncio.create_task(_follow(name, settings))
    try:
        yield
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


@asynccontextmanager
async def interruptible(driver: "Driver") -> AsyncIterator[asyncio.Event]:
    """Let the first Ctrl-C in the block stop the driver when what is under way has ended, the second one at once."""
    loop, task, interrupted = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def interrupt() -> None:
        if interrupted.is_set() and task is not None:
            task.cancel()
            return
        interrupted.set()
        warn("stopping once what is under way has ended; Ctrl-C again stops at once, and that work is done again")
        driver.stop()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _follow(name: str, settings: "Settings") -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )

    def lost(error: DatabaseUnavailable) -> None:
        warn(f"{error}; going on when it is back")

    with Progress(*columns, console=err()) as bars:
        drafts = bars.add_task("drafts ", total=None, rate="")
        members = bars.add_task("members", total=None, rate="")
        async with (
            lent(settings) as database,
            aclosing(looks(database, name, prices=settings.prices, lost=lost)) as seen,
        ):
            async for now in seen:
                bars.update(drafts, total=now.cohorts, completed=now.cohorts_done + now.cohorts_dead)
                rate = f"{now.decided_per_s:,.0f}/s" if now.decided_per_s else ""
                bars.update(members, total=now.items, completed=now.items - now.open, rate=rate)
