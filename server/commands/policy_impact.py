"""`offers policies impact`: what an edited policy set would say of the offers already issued."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, err, out, plain

if TYPE_CHECKING:
    from server.commands.reevaluation import Told

app = typer.Typer()
SHOWN: Final = 10
"""Offers named in the answer; the recall list and the ledger name them all."""


@app.command()
def impact(
    policies: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The edited policies folder; default: POLICIES_DIR.")
    ] = None,
    hold: Annotated[
        bool, typer.Option("--hold", help="Hold the offers that would fail and were not sent; they leave no more.")
    ] = False,
    keep_unknown: Annotated[
        bool, typer.Option("--keep-unknown", help="With --hold: leave those that only can't be shown to hold.")
    ] = False,
    release: Annotated[bool, typer.Option("--release", help="Let offers go that are held and would pass now.")] = False,
    recall: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a CSV of the offers that were sent and would fail.")
    ] = None,
) -> None:
    """Judge every issued offer that has not ended by an edited policy set: which would fail now, and by which clause.

    Nothing is changed unless --hold or --release is given, and then all of it at once or nothing. Clauses on the member
    are not asked again: their facts were true on the day. What rests on a member's facts, a judge or a person's word
    keeps its recorded result while the clause says the same; else the offer counts as one that would fail, told apart.

    Example:

        offers policies impact --policies /srv/policies
        offers policies impact --policies /srv/policies --recall recall.csv
        offers policies impact --hold --recall recall.csv
    """
    from graph.settings import load_settings
    from tools.errors import InputInvalid

    settings = load_settings()
    folder = policies or settings.policies_dir
    if not folder.is_dir():
        raise InputInvalid(f"--policies: {folder} is no folder; give the folder with the edited *.md files")
    if recall is not None and not recall.absolute().parent.is_dir():
        raise InputInvalid(f"--recall: {recall.absolute().parent} does not exist; make that folder first")
    if keep_unknown and not hold:
        raise InputInvalid("--keep-unknown: says what --hold leaves; give --hold too")
    with busy("starting"):
        from server.commands.reevaluation import Wanted, reevaluate
    wanted = Wanted(hold=hold, hold_unknown=not keep_unknown, release=release, recall=recall)
    with _bar() as tell:
        told = asyncio.run(reevaluate(settings, folder, wanted, tell=tell))
    _print(told, hold=hold, release=release, recall=recall)


def _print(told: "Told", *, hold: bool, release: bool, recall: Path | None) -> None:
    from rich.table import Table
    from rich.text import Text

    tally = told.tally
    out().print(
        f"{tally.offers:,} offers that have not ended, judged by policy set {told.set_sha[:12]}", soft_wrap=True
    )
    if tally.clauses:
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("clause", overflow="fold")
        for name in ("not sent", "sent", "unknown, not sent", "unknown, sent"):
            table.add_column(name, justify="right")
        for clause, counts in sorted(tally.clauses.items(), key=lambda item: -sum(item[1].values())):
            table.add_row(plain(clause), *(f"{counts[kind]:,}" for kind in tally.KINDS))
        out().print(table)
        for line in told.examples:
            out().print(Text(plain(line), style="dim"), soft_wrap=True)
    out().print(
        f"would fail: {tally.unsent:,} not sent, {tally.sent:,} sent; of these {tally.unknown:,} only since they can't "
        f"be shown to hold; held before: {tally.held_before:,}, of which {tally.passing_held:,} would pass now",
        soft_wrap=True,
    )
    if hold:
        out().print(f"held now: {tally.held:,}; {told.files:,} exported files of them removed", soft_wrap=True)
    elif tally.unsent:
        out().print("nothing was held; --hold holds those that were not sent", soft_wrap=True)
    if release:
        out().print(f"released: {tally.released:,}", soft_wrap=True)
    if recall is not None:
        out().print(Text(f"{recall}: {tally.recalled:,} rows"), soft_wrap=True)
    elif tally.sent:
        out().print("--recall FILE.csv lists those that were sent", soft_wrap=True)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Show how many offers are judged; hears the number and the total."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("judging offers"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as progress:
        task = progress.add_task("judging", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
