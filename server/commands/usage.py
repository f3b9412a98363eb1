"""`offers usage`: every try of every model call, what became of it, and what it cost."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out

if TYPE_CHECKING:
    from tools.ledger.spent import UsageRow
    from tools.prices import Prices

app = typer.Typer()


@app.command(rich_help_panel="Offers")
def usage(
    campaign: Annotated[
        str, typer.Option(metavar="NAME", help="The campaign; single requests belong to `online`.")
    ] = "online",
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="From the start of this day, in the brand's time zone."),
    ] = None,
) -> None:
    """Show the tries of a campaign's model calls by step, model and outcome, with their tokens and cost.

    answered: tokens as the endpoint counted them. throttled: it asked to wait (429). failed: no connection, an error,
    or nothing that can be read. late: no answer in time. sent: under way, or its process died before the answer. Late
    and sent tries have no tokens, though an endpoint may charge for them.

    Example:

        offers usage
        offers usage --campaign spring --since 2026-11-01
    """
    with busy("asking the ledger"):
        rows, prices = asyncio.run(_read(campaign, since))
    _print(campaign, rows, prices)


async def _read(campaign: str, since: datetime | None) -> "tuple[list[UsageRow], Prices | None]":
    from zoneinfo import ZoneInfo

    from graph.database import open_database
    from graph.settings import load_settings
    from tools.ledger.campaigns import Campaigns
    from tools.ledger.claims import ONLINE
    from tools.ledger.spent import usage_of

    settings = load_settings()
    start = None if since is None else since.replace(tzinfo=ZoneInfo(settings.brand_time_zone))
    database = open_database(settings)
    try:
        number = ONLINE if campaign == "online" else (await Campaigns(database).named(campaign)).campaign_id
        return await usage_of(database, number, since=start), settings.prices
    finally:
        await database.aclose()


_COLUMNS: Final = ("tries", "input tokens", "of them cached", "output tokens", "USD")


def _print(campaign: str, rows: "list[UsageRow]", prices: "Prices | None") -> None:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        out().print(Text(f"campaign {campaign}: no model was asked in that time"), soft_wrap=True)
        return
    table = Table(title=f"campaign {campaign}, tries of model calls", title_justify="left")
    for name in ("step", "model", "outcome"):
        table.add_column(name)
    for name in _COLUMNS if prices is not None else _COLUMNS[:-1]:
        table.add_column(name, justify="right")
    for row in rows:
        counts = (row.tries, row.input_tokens, row.cached_tokens, row.output_tokens)
        cost = [] if prices is None else [f"{row.usd(prices):,.4f}"]
        table.add_row(*map(Text, (row.step, row.model, row.outcome, *(f"{count:,}" for count in counts), *cost)))
    out().print(table)
    if prices is None:
        hint = "no prices: set LLM_INPUT_USD_PER_MILLION and LLM_OUTPUT_USD_PER_MILLION to see money"
        out().print(Text(hint, style="yellow"), soft_wrap=True)
