"""`offers campaign pause` and `cancel`: stopping a campaign for now, or for good."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.campaign_ledger import lent
from server.commands.console import busy, counted, err, fail, out, plain, program, stopped

if TYPE_CHECKING:
    from server.campaign.progress import Progress

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `offers campaign list` shows them.")]


@app.command(no_args_is_help=True)
def pause(name: Name) -> None:
    """Pause a campaign: its workers finish the chunk they are at and stop, wherever they run.

    Nothing is lost and nothing is decided twice: `offers campaign resume NAME` goes on where it was. Pausing a paused
    campaign changes nothing. Ctrl-C in `offers campaign run` does the same.

    Example:

        offers campaign pause spring_travel
    """
    with busy("pausing"):
        was_new = asyncio.run(_pause(name))
    out().print(
        f"{plain(name)} is paused" if was_new else f"{plain(name)} was paused already", markup=False, soft_wrap=True
    )
    err().print(f"next:  {program()} campaign resume {plain(name)}", markup=False, soft_wrap=True)


@app.command(no_args_is_help=True)
def cancel(
    name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether it is meant.")] = False
) -> None:
    """End a campaign for good: what is open is skipped, what is issued stays issued, money held for the rest is free.

    It can't be taken back: what is left of the file needs a new campaign. While `run` drives it, pause it first.

    Example:

        offers campaign cancel spring_travel
        offers campaign cancel spring_travel --yes
    """
    with busy("asking the ledger"):
        before = asyncio.run(_look(name))
    if before.state == "cancelled":
        out().print(f"{plain(before.name)} was cancelled already", markup=False, soft_wrap=True)
        return
    told = f"{counted(before.open, 'open prediction')} will be skipped; {counted(before.offers, 'offer')} stay issued"
    if not yes and not before.ended:
        _confirm(before.name, told)
    with stopped("nothing was cancelled"), busy("cancelling"):
        skipped = asyncio.run(_cancel(name))
    done = (
        "was cancelled already" if skipped is None else f"is cancelled: {counted(skipped, 'open prediction')} skipped"
    )
    out().print(f"{plain(before.name)} {done}", markup=False, soft_wrap=True)


def _confirm(name: str, told: str) -> None:
    """Ask on the terminal; where no answer comes, say how to do without."""
    try:
        sure = typer.confirm(f"cancel {plain(name)} for good? {told}")
    except typer.Abort:
        fail("nothing was cancelled: nobody answered", hint=f"{program()} campaign cancel {plain(name)} --yes")
        raise typer.Exit(1) from None
    if not sure:
        out().print("nothing was cancelled")
        raise typer.Exit(1)


async def _pause(name: str) -> bool:
    from graph.settings import load_settings
    from server.campaign.progress import named
    from server.campaign.steering import pause as paused

    async with lent(load_settings()) as database:
        return await paused(database, await named(database, name))


async def _cancel(name: str) -> int | None:
    from graph.settings import load_settings
    from server.campaign.progress import named
    from server.campaign.steering import cancel as cancelled

    async with lent(load_settings()) as database:
        return await cancelled(database, await named(database, name))


async def _look(name: str) -> "Progress":
    from graph.settings import load_settings
    from server.campaign.progress import look

    async with lent(load_settings()) as database:
        return await look(database, name)
