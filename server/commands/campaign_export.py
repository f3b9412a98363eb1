"""`offers campaign export`: a campaign's offers for an email service, and who gets none."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from server.commands.console import counted, err, fail, out, plain, program, stopped, warn

if TYPE_CHECKING:
    from graph.deps import Deps
    from server.campaign.export.target import Target
    from server.campaign.export.writing import Exported, Wanted
    from tools.ledger.campaigns import Campaign

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `offers campaign list` shows them.")]


@app.command(no_args_is_help=True)
def export(
    name: Name,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR|FILE", help="A folder, or one file ending in .parquet or .jsonl.")
    ],
    form: Annotated[
        Literal["parquet", "jsonl"], typer.Option("--format", help="Form of the offers in a folder.")
    ] = "parquet",
    eml: Annotated[bool, typer.Option("--eml", help="Also write each mail as .eml, ready to be sent.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Also write each mail's HTML.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Replace what is there without asking.")] = False,
) -> None:
    """Export a campaign for an email service: offers with their personalised texts and links, who gets none and why.

    An offer that is held, or whose member opted out since, stays back; a mail that isn't byte for byte the one that was
    checked does too. `manifest.json` has the hash of every file. The same ledger gives the same bytes, and nothing is
    at its place before all of it is. The files hold names and addresses: keep them as you keep members' data.

    Example:

        offers campaign export spring_travel --to exports/spring
        offers campaign export spring_travel --to spring.parquet
        offers campaign export spring_travel --to exports/spring --format jsonl --eml
    """
    from server.campaign.export.target import Target
    from server.campaign.export.writing import Wanted

    target = Target.of(to, form=form, trees=eml or html)
    with stopped(f"nothing was written to {to}"):
        code = asyncio.run(_export(name, target, Wanted(eml=eml, html=html), yes=yes))
    if code:
        raise typer.Exit(code)


async def _export(name: str, target: "Target", wanted: "Wanted", *, yes: bool) -> int:
    from graph.settings import load_settings
    from server.commands.session import open_session
    from tools.ledger.campaigns import Campaigns

    settings = await asyncio.to_thread(load_settings)
    async with open_session(settings) as session:
        await session.connect()
        campaign = await Campaigns(session.deps.database).named(name)
        if campaign.state in ("created", "planned"):
            verb = "plan" if campaign.state == "created" else "run"
            fail(
                f"campaign {name} is {campaign.state}: there is no offer yet",
                hint=f"{program()} campaign {verb} {plain(name)}",
            )
            return 1
        with target.draft() as folder:
            done = await _built(campaign, session.deps, target, folder, wanted)
            if target.manifest() == done.manifest:
                out().print(f"{target.path} holds this export already", markup=False, soft_wrap=True)
                return 0
            if target.occupied() and not yes and not _may_replace(target):
                return 1
            await asyncio.to_thread(target.publish, folder)
    _tell(campaign, target, done)
    return 0


async def _built(campaign: "Campaign", deps: "Deps", target: "Target", folder: Path, wanted: "Wanted") -> "Exported":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from server.campaign.export.writing import build
    from tools.ledger.campaigns import Campaigns

    counts = await Campaigns(deps.database).counts(campaign.campaign_id)
    columns = (TextColumn("exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as bars:
        bar = bars.add_task("", total=counts.offers)
        return await build(campaign, deps, target, folder, wanted, progress=lambda offers: bars.advance(bar, offers))


def _may_replace(target: "Target") -> bool:
    warn(f"{target.path} holds something else")
    if not err().is_terminal:
        err().print("next:  give --yes to replace it, or another --to", soft_wrap=True)
        return False
    return typer.confirm("Replace it?", default=False, err=True)


def _tell(campaign: "Campaign", target: "Target", done: "Exported") -> None:
    told = f"{counted(done.offers, 'offer')}, {done.without:,} predictions without one"
    mails = f", {counted(done.mails, 'mail')}" if done.mails else ""
    out().print(f"{plain(campaign.name)}: {told}{mails} in {target.path}", markup=False, soft_wrap=True)
    if withheld := done.withheld.total():
        warn(f"{withheld:,} offers are withheld: held, or opted out since (suppressed.csv)")
    if failed := done.failed.total():
        warn(f"{failed:,} offers can't be exported: {done.failed.most_common(1)[0][0]} (suppressed.csv)")
    if campaign.state not in ("done", "cancelled"):
        warn(f"{plain(campaign.name)} is {campaign.state}: the export is of what is decided so far")
