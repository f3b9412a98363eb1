"""`offers prompts diff`: two versions of a prompt, as written and as a model gets them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain
from server.commands.diff import line_diff
from server.commands.git import git
from tools.vocabulary import CopyMode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from graph.prompt_sides import Side
    from graph.prompt_view import PromptView
    from graph.settings import Settings

app = typer.Typer()
EXAMPLES: Final = (
    "Travel,gold,persuadable,stable,medium,preferred,established",
    "Retail,basic,lost_cause,decreasing,low,other,new",
    "Dining,platinum,sure_thing,increasing,high,preferred,long_standing",
)
"""Views both versions are rendered for."""


@app.command(no_args_is_help=True)
def diff(
    old: Annotated[str, typer.Argument(metavar="A", help="draft, draft@b, a file, or draft:REVISION of git.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    mode: Annotated[CopyMode | None, typer.Option("--mode", help="select or compose.  [default: COPY_MODE]")] = None,
) -> None:
    """Say what differs between two versions of a prompt: parameters, words, tokens, and what a model then gets.

    Dropped words stand in [-...-], added ones in {+...+}. The messages are those of three example members.

    Example:

        offers prompts diff draft draft@b
        offers prompts diff draft:HEAD draft --mode compose
        offers prompts diff draft ~/ideas/draft.md
    """
    with busy("reading policies and prompts"):
        from graph.prompt_sides import side
        from graph.settings import load_settings
        from tools.errors import InputInvalid

        settings = load_settings()
        folder = settings.prompts_dir
        sides = [side(each, folder, lambda revision: _texts_at(folder, revision)) for each in (old, new)]
        steps = {each.prompt.header.name for each in sides}
        if len(steps) > 1:
            raise InputInvalid(f"{old} and {new} are prompts of different steps ({', '.join(sorted(steps))})")
        rendered = asyncio.run(_rendered(settings, sides, mode))
    out().print(_page(sides, rendered), soft_wrap=True)


def _texts_at(folder: Path, revision: str) -> dict[str, str] | None:
    names = (
        None
        if revision.startswith("-")
        else git(folder, "ls-tree", "-r", "--full-tree", "-z", "--name-only", f"{revision}:./")
    )
    if names is None:
        return None
    wanted = [name for name in names.split("\0") if name.endswith(".md") and name != "README.md"]
    return {name: git(folder, "show", f"{revision}:./{name}") or "" for name in wanted}


async def _rendered(
    settings: "Settings", sides: "Sequence[Side]", mode: CopyMode | None
) -> "list[tuple[PromptView, PromptView]]":
    from graph.deps import open_deps
    from graph.prompt_view import prompt_view
    from server.commands.prompt_show import step_of, view_of

    deps = await open_deps(settings)
    try:
        found: list[tuple[PromptView, PromptView]] = []
        for bands in EXAMPLES:
            pair = []
            for each in sides:
                step, variant = step_of(each.prompt.name)
                then = replace(deps, rulebook=replace(deps.rulebook, prompts=each.prompts))
                pair.append(await prompt_view(step, view_of(bands), then, mode=mode or deps.copy_mode, variant=variant))
            found.append((pair[0], pair[1]))
        return found
    finally:
        await deps.aclose()


def _page(sides: "Sequence[Side]", rendered: "Sequence[tuple[PromptView, PromptView]]") -> "RenderableType":
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    old, new = sides
    if old.prompt.digest == new.prompt.digest:
        return Text(f"{old.label} and {new.label} are the same bytes (digest {old.prompt.digest})")
    told: list[RenderableType] = [_table(sides, rendered)]
    before = {section.name: section.text for section in old.prompt.sections}
    after = {section.name: section.text for section in new.prompt.sections}
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, ""), after.get(name, "")
        if was != now:
            told += [Rule(f"{name}, as written", align="left", style="dim"), line_diff(plain(was), plain(now))]
    for bands, (first, second) in zip(EXAMPLES, rendered, strict=True):
        for (role, was), (_, now) in zip(first.ask.messages, second.ask.messages, strict=True):
            if was != now:
                told += [
                    Rule(f"{role} message for {bands}", align="left", style="dim"),
                    line_diff(plain(was), plain(now)),
                ]
        if first.ask.messages != second.ask.messages:
            break  # one example is shown; the table has the tokens of all
    return Group(*told)


def _table(sides: "Sequence[Side]", rendered: "Sequence[tuple[PromptView, PromptView]]") -> "RenderableType":
    from rich.table import Table

    from server.commands.prompt_show import weights

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("", *(each.label for each in sides)):
        table.add_column(plain(name))
    headers = [each.prompt.header for each in sides]
    rows = {
        "digest": [each.prompt.digest for each in sides],
        "version": [header.version for header in headers],
        "temperature": [f"{header.temperature:g}" for header in headers],
        "max_tokens": [str(header.max_tokens) for header in headers],
        "variables": [str(len(header.variables)) for header in headers],
    }
    for bands, pair in zip(EXAMPLES, rendered, strict=True):
        counts = [sum(weights(each).values()) for each in pair]
        rows[f"tokens, {bands.partition(',')[0]}"] = [f"about {count}" for count in counts]
    for label, (was, now) in rows.items():
        table.add_row(label, plain(was), plain(now), style="" if was != now else "dim")
    return table
