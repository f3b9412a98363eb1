"""Watching a campaign: a picture that is drawn anew, or a line for each change."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from rich.live import Live

from server.campaign.watching import looks
from server.commands.campaign_ledger import lent
from server.commands.campaign_view import line, panel
from server.commands.console import out, warn
from tools.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from graph.settings import Settings


async def follow(settings: "Settings", name: str, *, as_json: bool) -> None:
    """Show a campaign until it has ended: a picture on a terminal, else a line for each change."""

    def lost(error: DatabaseUnavailable) -> None:
        warn(f"{error}; looking again")

    async with lent(settings) as database, aclosing(looks(database, name, prices=settings.prices, lost=lost)) as seen:
        if out().is_terminal and not as_json:
            with Live(console=out(), auto_refresh=False) as live:
                async for now in seen:
                    live.update(panel(now), refresh=True)
            return
        before = None
        async for now in seen:
            if now.seen != before:
                out().file.write((now.model_dump_json() if as_json else line(now)) + "\n")
                out().file.flush()
            before = now.seen
