"""`offers db`: cardmembers and predictions in and out of the database."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.console import busy, err, out, plain, program, warn

if TYPE_CHECKING:
    from graph.settings import Settings
    from tools.load import LoadProgress, LoadReport

app = typer.Typer(no_args_is_help=True, help="Load members, draw synthetic ones, write prediction files, erase people.")

Table = Annotated[str | None, typer.Option(help="Table to write to; default: CARDMEMBER_TABLE.")]


@app.command(no_args_is_help=True)
def load(
    file: Annotated[Path, typer.Argument(help="A .csv, .parquet, .json or .jsonl export.")],
    table: Table = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="When the warehouse took the export (UTC unless it says otherwise); default: the file's time.",
        ),
    ] = None,
) -> None:
    """Load an export of cardmembers: good rows are upserted by user_id, every bad cell goes to a rejects file.

    The monthly counts of the export are taken as true at `--as-of`; what was issued later is counted on top.

    Example:

        offers db load members.csv
        offers db load members.parquet --as-of 2026-09-30
        offers db load profiles.json --table pilot_member
    """
    settings = _settings()
    with busy("starting"):
        from server.commands.loading import load_export
    with _progress("loading") as tell:
        report = asyncio.run(load_export(settings, file, table=table, as_of=as_of, progress=tell))
    _print_report(report)


@app.command()
def sample(
    n: Annotated[int, typer.Option(min=0, help="How many members.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same members.")] = 7,
    output: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a .csv or .parquet file and load nothing.")
    ] = None,
    table: Table = None,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Do nothing when the table holds members.")] = False,
) -> None:
    """Draw synthetic cardmembers and load them, or write them to a file. The first 24 are deliberately awkward.

    Members are upserted by user_id, as `offers db load` does.

    Example:

        offers db sample --n 1000 --seed 7
        offers db sample --n 1000000 --out members.parquet
    """
    from rich.text import Text

    settings = _settings()
    with busy("starting"):
        from server.commands.loading import add_sample
        from server.commands.members import holds_members, write_sample
    if output is not None:
        with busy(f"drawing {n:,} members"):
            write_sample(output, n=n, seed=seed)
        out().print(Text(f"{n:,} synthetic members written to {output}"), soft_wrap=True)
        return
    if if_empty and asyncio.run(holds_members(settings, table=table)):
        return
    with _progress("loading", drawing=n) as tell:
        report = asyncio.run(add_sample(settings, n=n, seed=seed, table=table, drawn=tell, progress=tell))
    _print_report(report)


@app.command(no_args_is_help=True)
def predictions(
    output: Annotated[Path, typer.Option("--out", metavar="FILE", help="A .csv or .json file.")],
    n: Annotated[int, typer.Option(min=0, help="How many predictions.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and table give the same file.")] = 7,
) -> None:
    """Write a prediction file for the members in the table, as a scoring job would.

    The file can be decided one by one (`offers generate --predictions`), or together, as a campaign.

    Example:

        offers db predictions --n 200 --out predictions.json
        offers generate --predictions predictions.json
        offers db predictions --n 2000 --out scores.csv
        offers campaign create spring_travel --predictions scores.csv --budget 5000
    """
    from rich.text import Text

    settings = _settings()
    with busy("starting"):
        from server.commands.loading import predict
    with busy(f"drawing {n:,} predictions"):
        asyncio.run(predict(settings, output, n=n, seed=seed))
    out().print(Text(f"{n:,} predictions written to {output}"), soft_wrap=True)
    out().print(Text(f"next:  {program()} generate --predictions {output}"), soft_wrap=True)
    if output.suffix == ".csv":
        create = f"{program()} campaign create NAME --predictions {output} --budget USD"
        out().print(Text(f"       or all together: {create}"), soft_wrap=True)


@app.command(no_args_is_help=True)
def erase(user_id: Annotated[str, typer.Argument(help="Key of the person.")]) -> None:
    """Erase the first name and address that decisions keep of a person, and their exported files.

    The decisions stay explained by user_id; a replay greets "Cardmember". The cardmember table is not touched.

    Example:

        offers db erase USER_000006
    """
    from rich.text import Text

    settings = _settings()
    with busy("starting"):
        from server.commands.loading import erase_member
    with busy("erasing"):
        decisions, files = asyncio.run(erase_member(settings, user_id))
    out().print(Text(f"{plain(user_id)}: {decisions} decisions and {files} exported files erased"), soft_wrap=True)


def _settings() -> "Settings":
    from graph.settings import load_settings

    return load_settings()


@contextmanager
def _progress(label: str, *, drawing: int = 0) -> Iterator[Callable[["LoadProgress | int"], None]]:
    """Show one bar; it hears members drawn (an int), then the load's progress."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]}"))
    with Progress(*columns, TimeElapsedColumn(), console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task("drawing" if drawing else label, total=drawing or None, rows="")

        def tell(progress: "LoadProgress | int") -> None:
            if isinstance(progress, int):
                bar.update(task, completed=progress, rows=f"{progress:,} members")
                return
            rows = f"{progress.rows_read:,} rows, {progress.rows_rejected:,} rejected"
            phase = label if progress.phase == "reading" else progress.phase
            bar.update(task, description=phase, total=progress.total, completed=progress.done, rows=rows)

        yield tell


def _print_report(report: "LoadReport") -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    rate = report.rows_read / report.elapsed_s if report.elapsed_s > 0 else 0
    out().print(
        f"{report.rows_loaded:,} of {report.rows_read:,} rows are in table {report.table}: {report.inserted:,} new, "
        f"{report.updated:,} changed, {report.unchanged:,} as before [dim]({report.elapsed_s:.1f} s, "
        f"{rate:,.0f} rows/s)[/dim]",
        soft_wrap=True,
    )
    if report.duplicates:
        out().print(f"{report.duplicates:,} rows repeat a user_id; the last row of each was loaded")
    if report.rows_rejected:
        grid = Grid(title=f"{report.rows_rejected:,} rows rejected", title_justify="left")
        for name in ("column", "reason"):
            grid.add_column(name)
        grid.add_column("cells", justify="right")
        for column, reason, count in report.reasons[:10]:
            grid.add_row(column, Text(plain(reason)), f"{count:,}")
        out().print(grid)
    if report.rejects_path is not None:
        out().print(Text(f"rejects: {report.rejects_path}"), soft_wrap=True)
    for warning in report.warnings:
        warn(warning)
    if report.rows_read and not report.rows_loaded:
        raise typer.Exit(1)
