"""`offers prompts cost`: calls, tokens and money of a population, without asking a model."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.console import busy, counted, err, out, plain
from tools.vocabulary import CopyMode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from graph.prompt_cost import StepCost
    from graph.prompt_population import Population
    from graph.settings import Settings
    from tools.prices import Prices

app = typer.Typer()


@app.command()
def cost(
    members: Annotated[
        int, typer.Option("--members", min=100, max=1_000_000, help="Cardmembers with a made-up prediction each.")
    ] = 1_000,
    from_table: Annotated[
        bool, typer.Option("--from-table", help="Take members of the cardmember table, not synthetic ones.")
    ] = False,
    prompt: Annotated[
        list[str] | None, typer.Option("--prompt", metavar="NAME", help="A variant in its prompt's place: draft@b.")
    ] = None,
    mode: Annotated[CopyMode | None, typer.Option("--mode", help="select or compose.  [default: COPY_MODE]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Say what the prompts of a population cost: distinct prompts, tokens, shared beginnings, money per 1,000 offers.

    Members, synthetic ones or your own, are screened as for real, but as if nobody had had an offer from us; whoever is
    held back costs nothing. Each distinct prompt is asked once a week, since completions are kept, so cost per offer
    falls with the population. Tokens are estimated, on the long side; re-drafts and judging come on top. Prices are
    settings: LLM_..._USD_PER_MILLION.

    Example:

        offers prompts cost
        offers prompts cost --from-table --members 20000
        offers prompts cost --members 100000 --mode compose --prompt draft@b
    """
    with busy("reading policies and prompts"):
        from graph.settings import load_settings

        settings = load_settings()
    people, steps, measured = asyncio.run(
        _weighed(settings, members, prompt or [], mode or settings.effective_copy_mode, from_table=from_table)
    )
    figures = _figures(people, steps, measured, settings.prices)
    if as_json:
        import json

        out().file.write(json.dumps(figures, indent=2) + "\n")
        return
    out().print(_page(people, steps, figures, settings.prices), soft_wrap=True)


async def _weighed(
    settings: "Settings", members: int, asked: list[str], mode: CopyMode, *, from_table: bool
) -> "tuple[Population, list[StepCost], dict[str, float]]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from graph.prompt_cost import step_cost
    from graph.prompt_population import sample_population, table_population
    from server.commands.prompt_desk import prompt_desk
    from server.commands.prompt_show import step_of
    from tools.errors import InputInvalid

    variants = dict(step_of(each) for each in asked)
    if "judge" in variants:
        raise InputInvalid("--prompt is a judge's: what it costs depends on drafts that there are none of here")
    async with prompt_desk(settings, database=from_table, prose=mode == "compose") as deps:
        with busy(f"screening {members:,} members"):
            if from_table:
                people = await table_population(members, deps)
            else:
                people = await asyncio.to_thread(sample_population, members, deps)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        steps: list[StepCost] = []
        with Progress(*columns, console=err(), transient=True) as progress:
            task = progress.add_task("weighing prompts", total=2 * len(people.views))
            for step in ("analyze", "draft"):
                steps.append(
                    await step_cost(
                        step,
                        people,
                        deps,
                        mode=mode,
                        variant=variants.get(step),
                        tell=lambda: progress.advance(task),
                    )
                )
        measured = await _measured(deps.database, mode) if settings.database_url or from_table else {}
        return people, steps, measured


async def _measured(database: Any, mode: CopyMode) -> dict[str, float]:
    """Return the mean tokens of an answer by step, over the ledger's latest decisions of this mode, if it has any."""
    from tools.errors import DatabaseUnavailable

    try:
        async with database.statement() as connection:
            cursor = await connection.execute(_MEASURED, [f"_{mode}"])
            return {step: float(mean) for step, mean in await cursor.fetchall()}
    except DatabaseUnavailable:
        return {}


_MEASURED = """
select split_part(call ->> 'step', '_', 1) as step, avg((call ->> 'output_tokens')::float8 / (call ->> 'attempts')::int)
from (
        (select record from decision where cohort_id is null order by decided_at desc limit 1000)
        union all
        (select record from campaign_cohort where finished_at is not null order by finished_at desc limit 1000)
    ) latest,
    jsonb_array_elements(coalesce(record -> 'calls', '[]'::jsonb)) as call
where not coalesce((call ->> 'cached')::boolean, false) and (call ->> 'attempts')::int > 0
    and right(call ->> 'step', -strpos(call ->> 'step', '_') + 1) = %s
group by step
"""


def _figures(
    people: "Population", steps: "list[StepCost]", measured: dict[str, float], prices: "Prices | None"
) -> dict[str, Any]:
    offers = people.offers
    told: dict[str, Any] = {
        "members": people.predictions,
        "offers": offers,
        "held_back": dict(people.held.most_common()),
        "steps": {},
    }
    for step in steps:
        out_tokens = measured.get(step.step)
        told["steps"][step.step] = {
            "prompt": step.prompt,
            "distinct_per_1000_members": round(step.distinct / people.predictions * 1000, 1),
            "calls_per_1000_offers": round(step.calls(offers), 1) if offers else 0.0,
            "tokens_in_mean": round(step.mean_in, 1),
            "tokens_in_p95": step.p95_in,
            "tokens_out_most": step.most_out,
            "tokens_out_measured": None if out_tokens is None else round(out_tokens, 1),
            "shared_prefix": round(step.shared, 3),
            "notes": list(step.notes),
            "usd_per_1000_offers": None
            if prices is None or not offers
            else {
                name: round(
                    step.usd(prices, offers=offers, tokens_out=out_tokens or step.most_out, prefix_cached=cached), 4
                )
                for name, cached in (("plain", False), ("prefix_cached", True))
            },
        }
    return told


def _page(
    people: "Population", steps: "list[StepCost]", figures: dict[str, Any], prices: "Prices | None"
) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("")
    for step in steps:
        table.add_column(plain(step.prompt), justify="right")
    rows = {name: [figures["steps"][step.step] for step in steps] for name in _ROWS}
    for name, (label, form) in _ROWS.items():
        table.add_row(label, *(form(each[name]) for each in rows[name]))
    told: list[RenderableType] = [
        Text(
            f"{counted(people.predictions, 'prediction')}, {counted(people.offers, 'offer')} to draft after screening"
        ),
        Text(f"held back: {', '.join(f'{reason} {count:,}' for reason, count in people.held.most_common())}", "dim"),
        table,
    ]
    told += [Text(plain(note), style="yellow") for note in dict.fromkeys(note for step in steps for note in step.notes)]
    if prices is None:
        told.append(
            Text("no prices: set LLM_INPUT_USD_PER_MILLION and LLM_OUTPUT_USD_PER_MILLION to see money", style="yellow")
        )
    else:
        for name, label in (
            ("plain", "US dollars per 1,000 offers"),
            ("prefix_cached", "with a prefix cache, at best"),
        ):
            total = sum(figures["steps"][step.step]["usd_per_1000_offers"][name] for step in steps)
            told.append(Text(f"{label}: {total:,.4f}"))
    return Group(*told)


_ROWS: dict[str, tuple[str, Any]] = {
    "distinct_per_1000_members": ("distinct prompts per 1,000 members", lambda value: f"{value:,.1f}"),
    "calls_per_1000_offers": ("calls per 1,000 offers", lambda value: f"{value:,.1f}"),
    "tokens_in_mean": ("tokens in, mean (estimated)", lambda value: f"{value:,.0f}"),
    "tokens_in_p95": ("tokens in, 95th percentile", lambda value: f"{value:,.0f}"),
    "tokens_out_most": ("tokens out, at most", lambda value: f"{value:,}"),
    "tokens_out_measured": ("tokens out, mean of the ledger", lambda value: "-" if value is None else f"{value:,.0f}"),
    "shared_prefix": ("shared beginning", lambda value: f"{value:.0%}"),
}
