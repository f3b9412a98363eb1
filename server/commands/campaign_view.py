"""How a campaign's progress looks: a panel on a terminal, a line elsewhere."""

from typing import Final

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from server.campaign.progress import Progress
from server.commands.console import plain, program

STYLES: Final = {"running": "green", "paused": "yellow", "done": "bold green", "cancelled": "red"}


def panel(seen: Progress) -> RenderableType:
    """Return all there is to tell of a campaign."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    decided = seen.items - seen.open
    grid.add_row("decided", ProgressBar(total=max(seen.items, 1), completed=decided, width=40))
    for name, told in (
        ("state", _state(seen)),
        ("input", f"{plain(seen.input_name)}: {seen.input_rows:,} rows, {seen.rejected:,} rejected"),
        ("items", _items(seen)),
        ("skipped by", _by(seen.skipped_by)),
        ("dead by", _by(seen.dead_by)),
        ("cohorts", _cohorts(seen)),
        ("chunks", f"{seen.chunks_done:,} of {seen.chunks:,} done" if seen.chunks else ""),
        ("pace", _pace(seen)),
        ("money", _money(seen)),
        ("model", _model(seen)),
        ("endpoint", _silence(seen)),
    ):
        if told:
            grid.add_row(name, told if isinstance(told, Text) else Text(told))
    return Group(Text(f"campaign {plain(seen.name)}", style="bold"), grid)


def line(seen: Progress) -> str:
    """Return the same in one line, for logs."""
    parts = [
        f"{plain(seen.name)} {seen.state}",
        f"open {seen.open}",
        f"done {seen.done}",
        f"skipped {seen.skipped}",
        f"dead {seen.dead}",
        f"cohorts {seen.cohorts_done}/{seen.cohorts}",
        f"chunks {seen.chunks_done}/{seen.chunks}",
        f"spent {seen.spent_usd:.2f} USD",
    ]
    parts += [plain(seen.note)] if seen.note else []
    parts += [silence] if (silence := _silence(seen)) else []
    return ", ".join(parts)


def next_step(seen: Progress) -> str:
    """Return the command that a campaign of this state waits for; empty while it needs none."""
    verbs = {"created": "plan", "planned": "run", "paused": "resume", "done": "export"}
    verb = "run" if seen.state == "running" and not seen.driven else verbs.get(seen.state)
    return "" if verb is None else f"{program()} campaign {verb} {plain(seen.name)}"


def _state(seen: Progress) -> Text:
    told = Text(seen.state, style=STYLES.get(seen.state, ""))
    if seen.state == "running" and not seen.driven:
        told.append("; no driver lives: whoever ran it has died, `run` goes on where it was", style="yellow")
    if seen.note:
        told.append(f"; {plain(seen.note)}")
    return told


def _items(seen: Progress) -> str:
    counts = f"{seen.open:,} open, {seen.done:,} done, {seen.skipped:,} skipped, {seen.dead:,} dead"
    return f"{seen.items:,}: {counts}" + ("" if seen.add_up else "; ROWS ARE MISSING, see `offers campaign verify`")


def _by(counts: dict[str, int]) -> str:
    return ", ".join(f"{plain(name)} {count:,}" for name, count in counts.items())


def _cohorts(seen: Progress) -> str:
    if not seen.cohorts:
        return ""
    dead = f", {seen.cohorts_dead:,} dead" if seen.cohorts_dead else ""
    return f"{seen.cohorts_done:,} of {seen.cohorts:,} drafted{dead}"


def _pace(seen: Progress) -> str:
    if not seen.decided_per_s:
        return ""
    left = "" if seen.seconds_left is None else f", about {_span(seen.seconds_left)} left"
    return f"{seen.offers_per_s:,.1f} offers and {seen.decided_per_s:,.1f} predictions per second{left}"


def _span(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def _money(seen: Progress) -> str:
    budget = "no budget" if seen.budget_usd is None else f"{seen.budget_usd:,.2f} USD"
    reserved = f", {seen.reserved_usd:,.2f} reserved" if seen.reserved_usd else ""
    return f"{seen.spent_usd:,.2f} USD of {budget} for {seen.offers:,} offers (expected cost){reserved}"


def _model(seen: Progress) -> str:
    if not seen.tries:
        return ""
    cost = "" if seen.model_usd is None else f", {seen.model_usd:,.2f} USD"
    tokens = f"{seen.input_tokens:,} tokens in and {seen.output_tokens:,} out"
    return f"{sum(seen.tries.values()):,} tries: {_by(seen.tries)}; {tokens}{cost}"


def _silence(seen: Progress) -> str:
    if seen.silent_since is None or seen.ended:
        return ""
    return f"no answer since {seen.silent_since:%H:%M} UTC, tries failed since; calls wait until it is back"
