"""`offers campaign list` and `status`: which campaigns there are, and how far one is."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.campaign_ledger import lent, shown_name
from server.commands.console import busy, err, out, program, stopped

if TYPE_CHECKING:
    from graph.settings import Settings
    from server.campaign.progress import Progress
    from tools.ledger.campaigns import Campaign

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `offers campaign list` shows them.")]


@app.command("list")
def show_list() -> None:
    """List the campaigns, newest first, with their states.

    Single requests belong to none of them.

    Example:

        offers campaign list
    """
    from rich.table import Table
    from rich.text import Text

    with busy("asking the ledger"):
        campaigns = asyncio.run(_listed())
    if not campaigns:
        out().print("there is no campaign yet")
        err().print(
            "next:  offers campaign create NAME --predictions FILE.csv --budget USD", soft_wrap=True, markup=False
        )
        return
    table = Table(box=None, header_style="dim")
    for column in ("campaign", "state", "file"):
        table.add_column(column, overflow="fold")
    table.add_column("rows", justify="right")
    table.add_column("created (UTC)")
    table.add_column("note", overflow="fold")
    for campaign in campaigns:
        cells = (campaign.name, campaign.state, campaign.input_name)
        when = f"{campaign.created_at:%Y-%m-%d %H:%M}"
        table.add_row(*map(shown_name, cells), f"{campaign.input_rows:,}", when, shown_name(campaign.note))
    out().print(table)
    out().print(Text(f"{program()} campaign status NAME shows one of them", style="dim"), soft_wrap=True)


@app.command(no_args_is_help=True)
def status(
    name: Name,
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing it until the campaign has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, a line for each look.")] = False,
) -> None:
    """Show how far a campaign is: items by outcome, cohorts, pace, money, and calls to the model.

    Everything is read from the ledger, so it may be asked from any machine that reaches it. With `--watch` the picture
    is drawn anew until the campaign is done or cancelled; where the output is no terminal, a line is printed for each
    change instead. Ctrl-C ends the watching, not the campaign.

    Example:

        offers campaign status spring_travel
        offers campaign status spring_travel --watch
    """
    from graph.settings import load_settings

    settings = load_settings()
    if watch:
        from server.commands.campaign_watch import follow

        with stopped(f"watching; the campaign goes on, `{program()} campaign pause {name}` pauses it"):
            asyncio.run(follow(settings, name, as_json=as_json))
        return
    with busy("asking the ledger"):
        seen = asyncio.run(_look(settings, name))
    if as_json:
        out().file.write(seen.model_dump_json() + "\n")
        return
    from server.commands.campaign_view import next_step, panel

    out().print(panel(seen))
    if step := next_step(seen):
        err().print(f"next:  {step}", soft_wrap=True, markup=False)


async def _listed() -> "list[Campaign]":
    from graph.settings import load_settings
    from tools.ledger.campaigns import Campaigns

    async with lent(load_settings()) as database:
        return await Campaigns(database).listed()


async def _look(settings: "Settings", name: str) -> "Progress":
    from server.campaign.progress import look

    async with lent(settings) as database:
        return await look(database, name, prices=settings.prices)
