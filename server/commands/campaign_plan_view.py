"""How a campaign's plan looks on a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from server.campaign.figures import Plan
from server.commands.console import counted, plain


def page(plan: Plan) -> RenderableType:
    """Return all there is to tell of a plan."""
    sections = (
        _lines("who", _who(plan)),
        _counts("held back", plan.skipped_by, plan.items),
        _lines("work", _work(plan)),
        _steps(plan),
        _lines("cost", _cost(plan)),
        _lines("time", _time(plan)),
    )
    parts: list[RenderableType] = [Text(f"plan of campaign {plain(plan.campaign)}", style="bold")]
    for section in sections:
        if section is not None:
            parts += [Text(), section]
    parts += [Text(), Text("taken for granted", style="bold")]
    parts += [Text(f"  - {told}", style="dim") for told in plan.assumptions]
    return Group(*parts)


def _who(plan: Plan) -> list[tuple[str, str]]:
    rejected = f", {plan.rejected:,} rejected" if plan.rejected else ""
    share = f"{plan.holdout_members / plan.members * 100:.2f} %" if plan.members else "none"
    chance = "" if plan.holdout_p is None else f"; sample-ratio check p = {plan.holdout_p:.2g}"
    return [
        ("input", f"{counted(plan.input_rows, 'row')}{rejected}"),
        ("members", f"{plan.members:,} with {counted(plan.items, 'prediction')}"),
        ("offers to make", f"{plan.open:,}"),
        ("decided before", f"{plan.decided:,}" if plan.decided else ""),
        (
            "holdout",
            f"{plan.holdout_members:,} of {plan.members:,} members: {share} ({plan.holdout_percent:g} % asked){chance}"
            if plan.holdout_percent
            else "none asked for",
        ),
    ]


def _work(plan: Plan) -> list[tuple[str, str]]:
    waves = ", ".join(f"{number}: {items:,}" for number, items in plan.waves.items())
    drafted = plan.cohorts - plan.cohorts_open
    kept = f", {drafted:,} of them drafted already" if drafted else ""
    per_offer = f", {plan.calls / plan.open:.3f} per offer" if plan.open else ""
    return [
        ("waves", waves or "none"),
        ("cohorts", f"{counted(plan.cohorts, 'draft')} for {counted(plan.open, 'offer')}{kept}"),
        ("chunks", f"{plan.chunks:,}"),
        ("model calls", f"{plan.calls:,} expected, at most {plan.calls_at_most:,}{per_offer}"),
        ("tokens", f"{plan.tokens_in:,.0f} in, {plan.tokens_out:,.0f} out"),
    ]


def _steps(plan: Plan) -> RenderableType | None:
    if not plan.steps:
        return None
    table = Table(box=None, header_style="dim", padding=(0, 2))
    table.add_column("step")
    for name in ("calls", "at most", "tokens in", "tokens out", "seconds"):
        table.add_column(name, justify="right")
    for step in plan.steps:
        figures = (f"{step.calls:,}", f"{step.calls_at_most:,}", f"{step.tokens_in:,.0f}", f"{step.tokens_out:,.0f}")
        table.add_row(step.step, *figures, f"{step.latency_s:.1f}")
    return table


def _cost(plan: Plan) -> list[tuple[str, str]]:
    model = "unknown: no prices are set"
    if plan.model_usd is not None and plan.model_usd_at_most is not None:
        model = f"{plan.model_usd:,.2f} USD expected, at most {plan.model_usd_at_most:,.2f}"
    budget = "none"
    if plan.budget_usd is not None:
        used = f", {plan.used_usd:,.2f} of it in use" if plan.used_usd else ""
        fits = f"; {plan.missing_usd:,.2f} too little" if plan.missing_usd else "; enough for what is expected"
        budget = f"{plan.budget_usd:,.2f} USD{used}{fits}"
    return [
        ("offers", f"{plan.offers_usd:,.2f} USD, {plan.offers_usd_least:,.2f} to {plan.offers_usd_most:,.2f}"),
        ("model calls", model),
        ("budget", budget),
    ]


def _time(plan: Plan) -> list[tuple[str, str]]:
    return [("drafting", _span(plan.drafting_s)), ("deciding members", _span(plan.fan_out_s))]


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"about {f'{hours:,} h ' if hours else ''}{f'{minutes} min ' if hours or minutes else ''}{rest} s"


def _counts(title: str, counts: dict[str, int], of: int) -> RenderableType | None:
    return _lines(title, [(plain(name), f"{count:>10,}  {count / of:6.1%}") for name, count in counts.items()])


def _lines(title: str, lines: Sequence[tuple[str, str]]) -> RenderableType | None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    shown = [line for line in lines if line[1]]
    for name, told in shown:
        grid.add_row(f"  {name}", Text(told))
    return Group(Text(title, style="bold"), grid) if shown else None
