"""What `offers eval` shows: progress, an estimate where a model is slow, a table per version, the list of runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from graph.deps import EMBEDDED_SLOTS, Deps
from server.commands.console import counted, err
from server.evaluation.measures import measures
from server.evaluation.metrics import Summary
from server.evaluation.records import CaseResult, Manifest
from server.evaluation.session import Work
from tools.prices import Prices
from tools.vocabulary import CopyMode

EMBEDDED_SECONDS: Final[dict[CopyMode, float]] = {"select": 10.0, "compose": 90.0}
"""What a case takes of one of the embedded model's slots, about, on two cores that do other work as well."""
CLAUSES_SHOWN: Final = 5


class _Rate(ProgressColumn):
    """Cases per second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.1f}/s", style="dim")


@dataclass(slots=True)
class Progressing:
    """A bar while cases run, and the count of what is kept should they be stopped."""

    kept: int = 0
    total: int = 0
    begun: bool = False
    _bars: list[tuple[Progress, Any]] = field(default_factory=list)

    @contextmanager
    def of(self, work: Work) -> Iterator[None]:
        """Show a bar over the work in the block."""
        self.kept, self.total, self.begun = work.kept, work.kept + len(work.left), True
        columns = (
            TextColumn("evaluating"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as progress:
            self._bars.append((progress, progress.add_task("evaluating", total=self.total, completed=self.kept)))
            yield

    def advanced(self, result: CaseResult) -> None:
        """Count one more result that is on disk."""
        self.kept += 1
        for progress, task in self._bars:
            progress.update(task, completed=self.kept)

    def told(self) -> str:
        """Say how far it got."""
        return f"{self.kept:,} of {counted(self.total, 'result')} are kept"


def estimate(deps: Deps, left: int) -> tuple[str, ...]:
    """Say before the start what the embedded model can show, and how long it will take."""
    if not deps.settings.embedded_model or not left:
        return ()
    minutes = left * EMBEDDED_SECONDS[deps.copy_mode] / EMBEDDED_SLOTS / 60
    lines = [f"the embedded model takes about {max(1, round(minutes)):,} min for {counted(left, 'case')}"]
    if deps.copy_mode == "compose":
        lines.append(
            "135 million parameters can't write copy: in compose mode this shows that prompts, gate and fallback work,"
            " and says nothing of a version's quality; for that set LLM_BASE_URL or OPENROUTER_API_KEY"
        )
    else:
        lines.append("in select mode it only chooses approved blocks: first drafts pass whatever the prompt says")
    return tuple(lines)


def summary_table(manifest: Manifest, summary: Summary, prices: Prices | None = None) -> Table:
    """Return one version's figures; what it costs too, with the prices the summary was made with."""
    title = f"{manifest.prompt}: {counted(summary.cases, 'case')}, {counted(summary.results, 'result')}"
    table = Table(title=title, title_justify="left", caption=manifest.eval_id, caption_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for measure in measures(prices):
        value = summary.values.get(measure.name)
        if value is None or measure.name.startswith("length_"):
            continue
        shown = f"{value:.1%}" if measure.kind == "rate" or measure.unit == "share" else f"{value:,.{measure.places}f}"
        table.add_row(measure.title, shown)
    table.add_row("Drafted, held back, broken", f"{summary.drafted:,}, {summary.held:,}, {summary.broken:,}")
    for clause, broken in list(summary.clauses.items())[:CLAUSES_SHOWN]:
        table.add_row(Text(f"broken: {clause}"), f"{broken.first:,} first drafts, {broken.drafts:,} in all")
    return table


def kept_table(kept: Sequence[Manifest]) -> Table:
    """Return the evaluations kept, a row each."""
    table = Table(box=None)
    for name in ("evaluation", "prompt", "mode", "cases", "state", "model"):
        table.add_column(name, no_wrap=name != "model", overflow="fold")
    for one in kept:
        table.add_row(
            one.eval_id,
            one.prompt,
            one.copy_mode,
            f"{one.cases} x {one.repeat}",
            "unfinished" if one.finished_at is None else "finished",
            Text(one.model),
        )
    return table
