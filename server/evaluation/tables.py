"""A comparison on the console: the verdict in a box, the measures in a table, what the guards say."""

from typing import TYPE_CHECKING, Final

from server.evaluation.compare import Comparison
from server.evaluation.report.view import ClauseLine, Scale, Tone, clause_lines, compared_line, scales
from server.evaluation.wording import share
from tools.readable import shown

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

STYLES: Final[dict[Tone, str]] = {"better": "green", "worse": "red", "unclear": "", "plain": ""}
COLOURS: Final = {"better": "green", "worse": "red", "can't tell": "yellow"}
CLAUSES_SHOWN: Final = 8


def console_tables(comparison: Comparison) -> "Group":
    """Return what the console prints of a comparison; nothing a model wrote is in it."""
    from rich.console import Group

    parts: list[RenderableType] = [_verdict(comparison)]
    parts += [_measures(scale) for scale in scales(comparison) if scale.lines]
    if lines := clause_lines(comparison):
        parts.append(_clauses(lines))
    parts += [_guards(comparison), *_notes(comparison)]
    return Group(*parts)


def _verdict(comparison: Comparison) -> "RenderableType":
    from rich.panel import Panel
    from rich.text import Text

    colour = COLOURS[comparison.verdict.word]
    a, b = comparison.a.prompt, comparison.b.prompt
    return Panel(
        Text.assemble(
            (f"{comparison.verdict.word}\n", f"bold {colour}"),
            shown(comparison.verdict.why),
            (f"\n{compared_line(comparison)}", "dim"),
        ),
        title=Text(shown(f"{b} (B) against {a} (A)")),
        title_align="left",
        border_style=colour,
    )


def _measures(scale: Scale) -> "Table":
    from rich.text import Text

    table = _table(scale.title, "A", "B", "B - A", "95 % interval")
    for line in scale.lines:
        style = "" if line.opinion else STYLES[line.tone]
        title = Text(line.title, style="bold" if line.primary else "")
        table.add_row(title, line.a, line.b, Text(line.difference, style=style), Text(line.interval, style=style))
    return table


def _clauses(lines: tuple[ClauseLine, ...]) -> "Table":
    from rich.text import Text

    table = _table("First drafts that break", "A", "B")
    for line in lines[:CLAUSES_SHOWN]:
        table.add_row(
            Text(shown(line.clause)), f"{line.a} ({share(line.a_share)})", f"{line.b} ({share(line.b_share)})"
        )
    if (more := len(lines) - CLAUSES_SHOWN) > 0:
        table.add_row(Text(f"and {more} more, in the report", style="dim"))
    return table


def _guards(comparison: Comparison) -> "RenderableType":
    from rich.text import Text

    tripped = [guard.said for guard in comparison.guards.values() if guard.tripped]
    if tripped:
        return Text("\n".join(f"guard tripped: {shown(said)}" for said in tripped), style="red")
    return Text(f"{len(comparison.guards)} guards, none tripped", style="dim")


def _notes(comparison: Comparison) -> "list[RenderableType]":
    from rich.text import Text

    return [Text(f"note: {shown(note)}", style="yellow") for note in comparison.notes]


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", overflow="fold")
    return table
