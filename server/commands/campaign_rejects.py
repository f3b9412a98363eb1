"""`offers campaign rejects`: the rows of a campaign's file that are no predictions of it."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from server.commands.campaign_ledger import lent
from server.commands.console import busy, counted, out, plain, stopped

app = typer.Typer()


@app.command(no_args_is_help=True)
def rejects(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `offers campaign list` shows them.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.csv", help="Where to write them.", show_default="here")
    ] = None,
) -> None:
    """Show the rows of the file that were not taken in, as CSV: row number, user_id, reason, the row as it came.

    Row numbers count from 1, without a header and blank lines. Correct the rows and create another campaign of them.

    Example:

        offers campaign rejects spring_travel
        offers campaign rejects spring_travel --to rejects.csv
    """
    if to is None:
        asyncio.run(_show(name))
        return
    with stopped(f"{plain(str(to))} is as it was"), busy("writing"):
        written = asyncio.run(_write(name, to))
    out().print(
        f"{counted(written, 'rejected row')} of {plain(name)} in {plain(str(to))}", markup=False, soft_wrap=True
    )


async def _show(name: str) -> None:
    from graph.settings import load_settings
    from server.campaign.rejects import write_rejects
    from tools.ledger.campaigns import Campaigns

    async with lent(load_settings()) as database:
        campaign = await Campaigns(database).named(name)
        await write_rejects(database, campaign.campaign_id, sys.stdout, shown=plain if sys.stdout.isatty() else str)


async def _write(name: str, to: Path) -> int:
    """Write the file under another name first, so that it is whole or not there."""
    from graph.settings import load_settings
    from server.campaign.rejects import write_rejects
    from tools.ledger.campaigns import Campaigns

    half = to.with_name(f".{to.name}.{os.getpid()}")
    async with lent(load_settings()) as database:
        campaign = await Campaigns(database).named(name)
        try:
            with half.open("w", encoding="utf-8", newline="") as file:
                written = await write_rejects(database, campaign.campaign_id, file)
            half.replace(to)
        finally:
            half.unlink(missing_ok=True)
    return written
