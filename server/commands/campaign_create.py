"""`offers campaign create`: taking a file of predictions in."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from server.commands.budget import usd
from server.commands.campaign_ledger import lent
from server.commands.console import busy, counted, err, out, plain, program, stopped

if TYPE_CHECKING:
    from datetime import date

    from graph.settings import Settings
    from server.campaign.intake import TakenIn

app = typer.Typer()

ALLOWED_SHARE = "give percent from 0 to 50, for example 5%"


def _percent(value: str | float) -> float:
    try:
        share = float(str(value).strip().removesuffix("%"))
    except ValueError:
        share = -1.0
    if not 0 <= share <= 50:
        raise typer.BadParameter(f"{value!r} is no share; {ALLOWED_SHARE}")
    return share


@app.command(no_args_is_help=True)
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What the campaign is called: small letters, digits, - and _.")
    ],
    predictions: Annotated[
        Path, typer.Option("--predictions", metavar="FILE", help="One prediction a row: .csv, .jsonl or .parquet.")
    ],
    budget: Annotated[
        Decimal,
        typer.Option(
            "--budget", parser=usd, metavar="USD", help="What it may cost in all, more than 0: its offers, its model."
        ),
    ],
    engine: Annotated[
        Literal["local", "ray"], typer.Option(metavar="local|ray", help="What drives it: this machine, or Ray.")
    ] = "local",
    variants: Annotated[
        list[str] | None,
        typer.Option(
            "--variants", metavar="PROMPT=VARIANT:PERCENT", help="Members who get a prompt's variant; repeatable."
        ),
    ] = None,
    holdout: Annotated[
        float,
        typer.Option("--holdout", parser=_percent, metavar="PERCENT", help="Members who get nothing, to compare with."),
    ] = 0.0,
    personalisation: Annotated[
        Literal["cohort", "individual"],
        typer.Option(metavar="cohort|individual", help="One draft for all members whose prompts are alike, or each."),
    ] = "cohort",
    send_date: Annotated[
        datetime | None,
        typer.Option(
            "--send-date", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="First day of its offers.",
            show_default="today, in the brand's time zone",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Take a file of predictions in: every row becomes a prediction of the campaign, or a reject with its reason.

    The file has the columns user_id, domain and confidence_score and, if known, offer_flag, pred_version,
    prediction_timestamp, use_llm_insights and idempotency_key; others are left out. Of rows that are the same
    prediction the first one counts. Nothing is decided and no model is called: `offers campaign plan` is next.

    Repeating it with the same file and options changes nothing; Ctrl-C leaves nothing of the campaign.

    Example:

        offers db predictions --out scores.csv --n 500
        offers campaign create spring_travel --predictions scores.csv --budget 5000
        offers campaign create autumn --predictions scores.parquet --budget 25000 --holdout 5% --variants draft=b:20
    """
    with busy("starting"):
        from graph.settings import load_settings
        from server.campaign.splits import check_variants, read_shares

        settings = load_settings()
        shares = read_shares(variants or ())
        check_variants(shares, settings.prompts_dir)
    asked = {
        "name": name, "budget_usd": budget, "engine": engine, "personalisation": personalisation, "holdout": holdout,
        "variants": shares,
    }  # fmt: skip
    given = None if send_date is None else send_date.date()
    with stopped(f"nothing of {plain(str(predictions))} was taken in"), _bar() as progress:
        taken = asyncio.run(_create(settings, asked, given, predictions, progress))
    _print(taken)


async def _create(
    settings: "Settings",
    asked: dict[str, Any],
    send_date: "date | None",
    path: Path,
    progress: Callable[[int, float], None],
) -> "TakenIn":
    from zoneinfo import ZoneInfo

    from pydantic import ValidationError

    from graph.invalid import explain
    from server.campaign.first_day import first_day
    from server.campaign.intake import take_in
    from server.campaign.spec import Spec
    from tools.errors import InputInvalid

    async with lent(settings) as database:
        today = datetime.now(ZoneInfo(settings.brand_time_zone)).date()
        day = await first_day(database, asked["name"], send_date, today=today)
        try:
            spec = Spec.model_validate({**asked, "send_date": day})
        except ValidationError as error:
            raise InputInvalid(explain(error)) from error
        return await take_in(database, spec, path, progress=progress)


@contextmanager
def _bar() -> Iterator[Callable[[int, float], None]]:
    """Show how far the file is read, then that the ledger writes what was read."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]}"))
    with Progress(*columns, TimeElapsedColumn(), console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task("reading", total=1.0, rows="")

        def tell(rows: int, share: float) -> None:
            doing = "reading" if share < 1 else "writing"
            bar.update(task, description=doing, completed=share, rows=f"{rows:,} rows")

        yield tell


def _print(taken: "TakenIn") -> None:
    campaign = taken.campaign
    name, file = plain(campaign.name), plain(campaign.input_name)
    told = f"{counted(taken.items, 'prediction')} of {file}, {counted(taken.rejected, 'row')} rejected"
    said = f"{name}: {told}" if taken.new else f"{name} was created of this file before: {told}; nothing has changed"
    out().print(said, markup=False, soft_wrap=True)
    for reason in taken.reasons:
        out().print(f"  {plain(reason)}", markup=False, soft_wrap=True)
    if taken.rejected:
        err().print(f"all of them:  {program()} campaign rejects {name} --to rejects.csv", markup=False, soft_wrap=True)
    verb = "plan" if campaign.state == "created" else "status"
    err().print(f"next:  {program()} campaign {verb} {name}", markup=False, soft_wrap=True)
