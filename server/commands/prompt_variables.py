"""`offers prompts variables`: what each step gives its prompt."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from server.commands.console import busy, out, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from graph.settings import Settings
    from tools.prompt_files import Prompt
    from tools.prompt_steps import Value

app = typer.Typer()
SHOWN: Final = 160
"""Characters of an example value."""

MEANINGS: Final[Mapping[str, str]] = {
    "mode": "select: choose ids of approved texts; compose: write",
    "view": "the member's bands, all that a prompt knows of anybody",
    "catalogue": "reviewed hypotheses that fit the view (select)",
    "options": "the menu, in the cohort's order; `without` are slots an option has no value for",
    "merchants": "partner merchants to choose from",
    "policies": "policies that cover the menu: the brief of each, and prose that retrieval found near (compose)",
    "hypotheses": "what analysis kept, in words (compose)",
    "slots": "the name of every slot there is",
    "headlines": "approved headlines to choose from (select)",
    "ctas": "approved buttons to choose from (select)",
    "asked": "keys to answer with, of a re-draft; empty for a first draft",
    "last": "last text of what a re-draft may change, with its slots (compose)",
    "violations": "what the gate said of the last draft, nothing that has to do with the member",
    "examples": "a good and a bad body for each offer type of the menu, from the front matter (compose)",
    "questions": "the questions of judge clauses and one control, in a keyed order",
    "opening": "mark before the data; its writer can't guess it",
    "closing": "mark after the data",
    "offer": "the offer's terms, a line of JSON each",
    "copy": "the copy with its slots filled and the fallback greeting, a line of JSON each",
    "reply_schema": "JSON schema of the answer, for `{{ reply_schema | schema }}`; may be left out",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One variable of one step. `used` are its places, `file:line`, in every file of the step."""

    name: str
    meaning: str
    shape: str
    used: tuple[str, ...]
    example: str


@app.command()
def variables(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="analyze, draft or judge; default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Say which variables a prompt may use: meaning, fields, where each stands, and a value it could have.

    A prompt uses all variables of its step and no others, but for reply_schema, which it may leave out.

    Example:

        offers prompts variables
        offers prompts variables draft
    """
    from server.commands.prompt_show import step_of

    steps = None if name is None else (step_of(name)[0],)
    with busy("reading policies and prompts"):
        from graph.settings import load_settings

        found = asyncio.run(_rows(load_settings(), steps))
    if as_json:
        out().file.write(_json(found))
    else:
        out().print(_page(found))


async def _rows(settings: "Settings", steps: tuple[str, ...] | None) -> dict[str, list[Row]]:
    from graph.deps import open_deps
    from graph.prompt_view import STEPS, prompt_view
    from graph.rulebook import PROMPTS
    from server.commands.prompt_show import view_of
    from tools.prompt_steps import REPLY_SCHEMA, TEXT

    deps = await open_deps(settings)
    try:
        found: dict[str, list[Row]] = {}
        prompts = deps.rulebook.prompts
        for step in STEPS:
            if steps is not None and step not in steps:
                continue
            files = [prompts.named(each) for each in prompts.digests if each.partition("@")[0] == step]
            seen = [await prompt_view(step, view_of(None), deps, mode=mode) for mode in ("compose", "select")]
            found[step] = [
                Row(
                    variable,
                    MEANINGS[variable],
                    shape_of(value),
                    tuple(place for each in files for place in places(each, variable)),
                    _example([one.variables.get(variable) for one in seen]),
                )
                for variable, value in {**PROMPTS[step].variables, REPLY_SCHEMA: TEXT}.items()
            ]
        return found
    finally:
        await deps.aclose()


def shape_of(value: "Value") -> str:
    """Say what a template may do with a variable."""
    if value.item is not None:
        return f"list of {shape_of(value.item)}"
    return f"{{{', '.join(sorted(value.fields))}}}" if value.fields else "text"


def places(prompt: "Prompt", variable: str) -> list[str]:
    """Return where a prompt file reads a variable, as file:line."""
    from jinja2 import nodes

    from tools.prompt_environment import environment, padded

    lines: set[int] = set()
    for section in prompt.sections:
        parsed = environment(prompt.shared).parse(padded(section.text, section.line))
        lines.update(
            found.lineno for found in parsed.find_all(nodes.Name) if found.name == variable and found.ctx == "load"
        )
    return [f"{prompt.path.name}:{line}" for line in sorted(lines)]


def _example(values: list[Any]) -> str:
    value = next((value for value in values if value not in (None, "", [], ())), values[0])
    if isinstance(value, list | tuple) and value:
        value = value[0]
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 3]}..."


def _page(found: Mapping[str, list[Row]]) -> "RenderableType":
    from rich.console import Group
    from rich.rule import Rule
    from rich.table import Table

    told: list[RenderableType] = []
    for step, rows in found.items():
        table = Table(box=None, header_style="dim", padding=(0, 2, 1, 0))
        table.add_column("variable", style="bold cyan", no_wrap=True)
        for heading in ("meaning", "a template may read", "used in", "for example"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(row.name, row.meaning, row.shape, _compact(row.used) or "-", plain(row.example))
        told += [Rule(step, align="left", style="dim"), table]
    return Group(*told)


def _compact(used: tuple[str, ...]) -> str:
    lines: dict[str, list[str]] = {}
    for place in used:
        file, _, line = place.rpartition(":")
        lines.setdefault(file, []).append(line)
    return "\n".join(f"{file}:{','.join(numbers)}" for file, numbers in lines.items())


def _json(found: Mapping[str, list[Row]]) -> str:
    import json
    from dataclasses import asdict

    told = {step: [asdict(row) for row in rows] for step, rows in found.items()}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
