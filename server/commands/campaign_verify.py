"""`offers campaign verify`: whether a campaign adds up."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.console import busy, out, plain

if TYPE_CHECKING:
    from server.campaign.verify import Verdict

app = typer.Typer()


@app.command(no_args_is_help=True)
def verify(name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `list` shows them.")]) -> None:
    """Check that every row of the file has exactly one outcome, and that offers, money and model use agree.

    Reads the ledger alone and changes nothing; it may be asked while the campaign runs. The last line sums it up and is
    the same whenever nothing has changed. Exit code 1 when something doesn't add up.

    Example:

        offers campaign verify spring_travel
    """
    from rich.table import Table
    from rich.text import Text

    with busy("checking the ledger"):
        verdict = asyncio.run(_verify(name))
    grid = Table(box=None, header_style="dim")
    for column in ("", "must hold", "found"):
        grid.add_column(column)
    for line in verdict.lines:
        mark = Text("ok", style="green") if line.ok else Text("FAILED", style="red")
        grid.add_row(mark, Text(line.what), Text(line.found))
    out().print(grid)
    out().print(Text(plain(verdict.summary)), soft_wrap=True)
    if not verdict.ok:
        raise typer.Exit(1)


async def _verify(name: str) -> "Verdict":
    from zoneinfo import ZoneInfo

    from graph.database import open_database
    from graph.settings import load_settings
    from server.campaign.progress import named
    from server.campaign.verify import verify as checked

    settings = load_settings()
    database = open_database(settings)
    try:
        campaign = await named(database, name)
        zone = ZoneInfo(settings.brand_time_zone)
        return await checked(database, campaign, most_per_month=settings.max_offers_per_month, zone=zone)
    finally:
        await database.aclose()
