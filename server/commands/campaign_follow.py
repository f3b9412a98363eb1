"""What `offers campaign run` shows while it runs, and how Ctrl-C ends it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from server.campaign.progress import look
from server.campaign.watching import looks
from server.commands.campaign_ledger import lent
from server.commands.campaign_lines import Lines
from server.commands.console import err, warn
from tools.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from graph.settings import Settings
    from server.campaign.progress import Progress as Seen
    from server.campaign.run import Driver


@asynccontextmanager
async def shown(name: str, settings: "Settings") -> AsyncIterator[None]:
    """Show how far the campaign is while the block runs: bars on a terminal, plain lines elsewhere.

    The last thing shown is what the ledger says after the block.
    """
    with _bars() if err().is_terminal else nullcontext(Lines(_write)) as shows:
        following = asyncio.create_task(_follow(name, settings, shows))
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            with suppress(DatabaseUnavailable):
                async with lent(settings) as database:
                    shows.end(await look(database, name))


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


async def _follow(name: str, settings: "Settings", shows: "_Bars | Lines") -> None:
    async with (
        lent(settings) as database,
        aclosing(looks(database, name, prices=settings.prices, lost=shows.lost)) as seen,
    ):
        async for now in seen:
            shows.tell(now)


class _Bars:
    """One bar for drafts, one for members."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._drafts = bars.add_task("drafts ", total=None, rate="")
        self._members = bars.add_task("members", total=None, rate="")

    def tell(self, seen: "Seen") -> None:
        """Draw what was seen."""
        self._bars.update(self._drafts, total=seen.cohorts, completed=seen.cohorts_done + seen.cohorts_dead)
        rate = f"{seen.decided_per_s:,.0f}/s" if seen.decided_per_s else ""
        self._bars.update(self._members, total=seen.items, completed=seen.items - seen.open, rate=rate)

    end = tell

    def lost(self, error: DatabaseUnavailable) -> None:
        """Say that the database is away."""
        warn(f"{error}; going on when it is back")


@contextmanager
def _bars() -> Iterator[_Bars]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err()) as bars:
        yield _Bars(bars)


def _write(line: str) -> None:
    err().print(line, markup=False, soft_wrap=True)
