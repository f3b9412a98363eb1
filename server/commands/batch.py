"""A file of predictions decided concurrently: as many outcomes as rows, in their order."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from graph.context import Context
from graph.schemas import OfferOutput
from graph.settings import Settings
from server.commands.console import err, plain
from server.commands.console import out as answers
from server.commands.predictions import read_predictions
from server.commands.session import Session, ready_session
from tools.errors import InputInvalid

EMBEDDED_RUNS: Final = 4
"""Predictions at once with the embedded model: its slots stay busy, and no run waits past its deadline for one."""
MOST_RUNS: Final = 64
SHOWN_ERRORS: Final = 5


@dataclass(slots=True)
class Tally:
    """Counts of outcomes, and the first errors with their row."""

    outcomes: Counter[str] = field(default_factory=Counter)
    replayed: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: int, output: OfferOutput) -> None:
        """Count one outcome; `row` counts from 1."""
        self.outcomes[output.recommendation] += 1
        self.replayed[output.recommendation] += output.replayed
        if output.error_code is not None:
            self.errors.append((row, f"{output.error_code}: {output.error}"))


async def decide_file(
    settings: Settings,
    path: Path,
    *,
    out: Path | None,
    llm: bool,
    preview: bool,
    as_json: bool,
    variants: Mapping[str, str],
) -> None:
    """Decide every prediction of a file; print a summary, or with `as_json` one JSON per line.

    The outcomes' file appears whole or not at all. Raises InputInvalid for a file that can't be read or written.
    """
    items = await asyncio.to_thread(read_predictions, path)
    items = (
        items if llm else [{**item, "use_llm_insights": False} if isinstance(item, dict) else item for item in items]
    )
    context = Context(mode="preview" if preview else "issue", prompt_variants=dict(variants))
    tally = Tally()
    with _lines_to(out) as written:
        async with ready_session(settings) as session, aclosing(_in_order(session, items, context)) as outputs:
            with _bar(len(items)) as (progress, task):
                row = 0
                async for output in outputs:
                    row += 1
                    tally.add(row, output)
                    line = output.model_dump_json() + "\n" if written or as_json else ""
                    if written:
                        written.write(line)
                    if as_json:
                        answers().file.write(line)
                    progress.update(task, completed=row)
    if not as_json:
        _summary(tally, preview=preview, written=out, settings=settings)


def runs_at_once(settings: Settings) -> int:
    """Return how many predictions are decided at the same time."""
    return EMBEDDED_RUNS if settings.embedded_model else min(settings.llm_max_concurrency, MOST_RUNS)


async def _in_order(session: Session, items: Sequence[Any], context: Context) -> AsyncGenerator[OfferOutput, None]:
    """Yield outcomes in the order of the items while the next ones run; few are held at a time."""
    limit = asyncio.Semaphore(runs_at_once(session.settings))
    waiting: list[asyncio.Task[OfferOutput]] = []

    async def one(item: Any) -> OfferOutput:
        async with limit:
            return await session.decide(item, context)

    ahead, window = 0, 4 * runs_at_once(session.settings)
    try:
        while ahead < len(items) or waiting:
            while ahead < len(items) and len(waiting) < window:
                waiting.append(asyncio.create_task(one(items[ahead])))
                ahead += 1
            output = await waiting[0]
            waiting.pop(0)
            yield output
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


@contextmanager
def _lines_to(path: Path | None) -> Iterator[IO[str] | None]:
    """Open a file that takes its place when the block ends well."""
    if path is None:
        yield None
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = draft.open("w", encoding="utf-8")
    except OSError as error:
        raise InputInvalid(f"--out {path} can't be written: {error.strerror}; name another file") from error
    try:
        with stream:
            yield stream
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _bar(total: int) -> Iterator[tuple[Progress, Any]]:
    columns = (TextColumn("deciding"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as progress:
        yield progress, progress.add_task("deciding", total=total)


def _summary(tally: Tally, *, preview: bool, written: Path | None, settings: Settings) -> None:
    total = tally.outcomes.total()
    table = Table(title=f"{total} predictions, {total} outcomes", title_justify="left")
    for name in ("recommendation", "outcomes", "share", "replayed"):
        table.add_column(name, justify="left" if name == "recommendation" else "right")
    for name, count in tally.outcomes.most_common():
        table.add_row(name, f"{count:,}", f"{count / total:.1%}", f"{tally.replayed[name]:,}" or "")
    answers().print(table)
    for row, error in tally.errors[:SHOWN_ERRORS]:
        answers().print(Text(f"row {row}: {plain(error)}", style="yellow"), soft_wrap=True)
    if len(tally.errors) > SHOWN_ERRORS:
        answers().print(f"and {len(tally.errors) - SHOWN_ERRORS} more rows with an error")
    if preview:
        answers().print("preview: nothing was recorded or issued", style="magenta")
    elif tally.outcomes["offer_generated"]:
        answers().print(Text(f"offers: {settings.output_dir}"), soft_wrap=True)
    if written is not None:
        answers().print(Text(f"outcomes: {written}"), soft_wrap=True)
