"""`offers campaign run` and `resume`: drafting, allotting and deciding a campaign, until it is done or stopped."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.console import err, out, plain, program, stopped, warn

if TYPE_CHECKING:
    from graph.settings import Settings
    from server.campaign.figures import Plan
    from server.campaign.run import Driver
    from tools.ledger.campaigns import Campaign

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `offers campaign list` shows them.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, also when more is expected than the budget.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=0, max=256, help="Worker processes or Ray actors; 0: this process. Unset: as it fits."
    ),
]


@app.command(no_args_is_help=True)
def run(name: Name, yes: Yes = False, workers: Workers = None) -> None:
    """Run a planned campaign: draft for each cohort once, allot the money, then decide every member.

    It may be stopped and repeated at any time, by whoever and wherever: what is decided stays, and nobody gets a second
    offer. Ctrl-C pauses it once what is under way has ended; a second one stops at once, and that work is done again.
    While another process runs it, this one refuses.

    Example:

        offers campaign run spring_travel
        offers campaign run spring_travel --yes --workers 4
    """
    again = f"{program()} campaign run {plain(name)}"
    with stopped(f"what is decided stays, nothing is sent twice; `{again}` goes on"):
        code = asyncio.run(_run(name, yes=yes, workers=workers))
    if code:
        raise typer.Exit(code)


@app.command(no_args_is_help=True)
def resume(name: Name, yes: Yes = False, workers: Workers = None) -> None:
    """Go on with a paused campaign where it was: the same as `run`.

    What is decided stays, and no draft that is there is asked for again.

    Example:

        offers campaign resume spring_travel
    """
    run(name, yes=yes, workers=workers)


async def _run(name: str, *, yes: bool, workers: int | None) -> int:
    from graph.settings import load_settings
    from server.campaign.run import Driver
    from server.commands.session import ready_session
    from tools.ledger.campaigns import Campaigns

    settings = await asyncio.to_thread(load_settings)
    async with ready_session(settings) as session:
        campaign = await Campaigns(session.deps.database).named(name)
        if campaign.state in ("planned", "paused") and not _agreed(campaign, yes=yes):
            return 1
        driver = Driver(session.deps, campaign, workers=workers)
        return await _driven(driver, campaign, settings)


def _agreed(campaign: "Campaign", *, yes: bool) -> bool:
    """Ask before more is spent than the budget; without a terminal to ask on, `--yes` has to say it."""
    from server.campaign.figures import Plan

    plan = Plan.model_validate(campaign.plan)
    if plan.missing_usd <= 0 or yes:
        return True
    warn(_over(plan))
    if not err().is_terminal:
        err().print(
            f"next:  {program()} campaign run {campaign.name} --yes, or another campaign with a larger --budget"
        )
        return False
    return typer.confirm("Run it all the same?", default=False, err=True)


def _over(plan: "Plan") -> str:
    models = "" if plan.model_usd is None else f" and its model calls {plan.model_usd:,.2f} USD"
    left = max((plan.budget_usd or 0.0) - plan.used_usd, 0.0)
    return (
        f"the offers of {plan.campaign} are expected to cost {plan.offers_usd:,.2f} USD{models},"
        f" {plan.missing_usd:,.2f} USD more than the {left:,.2f} USD left of its budget. Nothing is spent beyond it:"
        " members whose offers can't be paid get a cheaper one or are held back as budget_exhausted"
    )


async def _driven(driver: "Driver", campaign: "Campaign", settings: "Settings") -> int:
    from server.campaign.progress import look
    from server.commands.campaign_follow import interruptible, shown

    async with shown(campaign.name, settings), interruptible(driver) as interrupted:
        ran = await driver.run()
    from server.commands.campaign_ledger import lent
    from server.commands.campaign_view import line

    async with lent(settings) as database:
        now = await look(database, campaign.name, prices=settings.prices)
    out().print(line(now), markup=False, soft_wrap=True)
    name = plain(campaign.name)
    if ran.is_done:
        err().print(f"next:  {program()} campaign verify {name}, then export and report", markup=False, soft_wrap=True)
        return 0
    if ran.campaign.note:
        err().print(plain(f"{name} is {ran.campaign.state}: {ran.campaign.note}"), markup=False, soft_wrap=True)
    err().print(f"next:  {program()} campaign resume {name}", markup=False, soft_wrap=True)
    return 130 if interrupted.is_set() else 1
