"""`offers campaign plan`: who gets an offer, who doesn't and why, and what the campaign comes to."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.console import busy, err, out, plain, program, stopped, warn

if TYPE_CHECKING:
    from rich.progress import Progress

    from graph.settings import Settings
    from server.campaign.figures import Plan

app = typer.Typer()


@app.command(no_args_is_help=True)
def plan(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign; `offers campaign list` shows them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Plan a campaign: screen every member, find who shares a draft, and say what it comes to. No model is asked.

    Members are screened as a single request is, with what the ledger counts for them, so whoever is held back stands
    there with the reasons. The others wait in waves, one for each offer of a member, and in cohorts: members whose
    prompts are the same share one draft. It can be planned again until it runs, and while it is paused; what is decided
    stays. Ctrl-C leaves the campaign as it was.

    Example:

        offers campaign plan spring_travel
        offers campaign plan spring_travel --json
    """
    with busy("reading policies and prompts"):
        from graph.settings import load_settings

        settings = load_settings()
    with stopped(f"nothing of the plan is kept; `{program()} campaign plan {plain(name)}` starts it again"):
        found = asyncio.run(_planned(settings, name))
    if as_json:
        out().file.write(found.model_dump_json(indent=2) + "\n")
    else:
        from server.commands.campaign_plan_view import page

        out().print(page(found), soft_wrap=True)
    for told in found.warnings:
        warn(told)
    err().print(f"next:  {program()} campaign run {plain(name)}", markup=False, soft_wrap=True)


async def _planned(settings: "Settings", name: str) -> "Plan":
    from server.campaign.plan import plan as planned
    from server.campaign.progress import named
    from server.commands.session import open_session

    async with open_session(settings) as session:
        await session.connect()
        campaign = await named(session.deps.database, name)
        if session.deps.copy_mode == "compose":  # such prompts hold the policies' prose, and are longer for it
            await session.sync_index()
        with _bar() as bar:
            task = bar.add_task("screening members", total=None)
            weighing = bar.add_task("weighing prompts", total=None, visible=False)

            def tell(done: int, of: int) -> None:
                bar.update(task, completed=done, total=of)
                if done == of:
                    bar.update(weighing, visible=True, description="numbering cohorts, weighing prompts")

            return await planned(campaign, session.deps, progress=tell)


def _bar() -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err(), transient=True)
