"""Watching a campaign: a picture that is drawn anew, or a line for each change."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from rich.live import Live

from server.campaign.progress import Progress, look
from server.commands.campaign_ledger import lent
from server.commands.campaign_view import line, panel
from server.commands.console import out, warn
from tools.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from graph.settings import Settings
    from tools.database import Database

EVERY_S: Final = 1.0
"""Seconds between looks, at least."""
SHARE: Final = 10
"""A look may take this part of the time at most: a campaign of millions is counted less often."""


async def looks(database: "Database", settings: "Settings", name: str) -> AsyncIterator[Progress]:
    """Yield how far a campaign is until it has ended. A database that is away for a while is waited for.

    Raises InputInvalid for an unknown campaign, DatabaseUnavailable when the first look fails.
    """
    seen = None
    while seen is None or not seen.ended:
        began = time.monotonic()
        try:
            seen = await look(database, name, prices=settings.prices)
        except DatabaseUnavailable as error:
            if seen is None:
                raise
            warn(f"{error}; looking again")
        else:
            yield seen
        if seen is None or not seen.ended:
            await asyncio.sleep(max(EVERY_S, SHARE * (time.monotonic() - began)))


async def follow(settings: "Settings", name: str, *, as_json: bool) -> None:
    """Show a campaign until it has ended: a picture on a terminal, else a line for each change."""
    async with lent(settings) as database:
        if out().is_terminal and not as_json:
            with Live(console=out(), auto_refresh=False) as live:
                async for seen in looks(database, settings, name):
                    live.update(panel(seen), refresh=True)
            return
        before = None
        async for seen in looks(database, settings, name):
            if seen.seen != before:
                out().file.write((seen.model_dump_json() if as_json else line(seen)) + "\n")
                out().file.flush()
            before = seen.seen
