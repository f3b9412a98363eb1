"""`offers campaign report`: what a campaign came to, as one HTML file."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.campaign_ledger import lent
from server.commands.console import busy, out, stopped, warn

if TYPE_CHECKING:
    from graph.settings import Settings
    from server.campaign.report.figures import CampaignFigures

app = typer.Typer()


@app.command(no_args_is_help=True)
def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `offers campaign list` shows them.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE.html", help="Where to write it; else campaign-NAME.html here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON; no file unless --to.")] = False,
) -> None:
    """Write a campaign's report: funnel, money, offers, drafts, model, parity, holdout, in one HTML file.

    Everything is read from the ledger at one moment, so it may be asked for at any time and again; a report of a campaign
    that has not ended says so. The file needs no network and no other file, and names no member: it can be sent
    around and printed. Groups of fewer than 30 members are not told.

    Example:

        offers campaign report spring_travel
        offers campaign report spring_travel --to reports/spring.html
        offers campaign report spring_travel --json
    """
    from graph.settings import load_settings

    settings = load_settings()
    with stopped("no report was written; the campaign is as it was"):
        with busy("reading the ledger"):
            figures = asyncio.run(_figures(settings, name))
        if as_json:
            out().file.write(figures.model_dump_json() + "\n")
        if to is None and as_json:
            return
        from server.campaign.report.writing import write_report

        path = write_report(to or Path(f"campaign-{figures.name}.html"), figures)
    if not as_json:
        out().print(f"report: {path}", soft_wrap=True, markup=False)
    if not figures.finished:
        warn(f"the campaign is {figures.state}: {figures.funnel.open:,} predictions are open; ask again when it is done")


async def _figures(settings: "Settings", name: str) -> "CampaignFigures":
    from server.campaign.report.reading import figures_of

    async with lent(settings) as database:
        return await figures_of(database, name, table=settings.cardmember_table, prices=settings.prices)
