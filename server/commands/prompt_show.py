"""`offers prompts show`: the bytes a model gets for one member, and what they weigh."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain
from tools.vocabulary import CopyMode, Domain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from graph.deps import Deps
    from graph.prompt_view import PromptView, StepName
    from graph.settings import Settings
    from tools.views import MemberView

app = typer.Typer()
EXAMPLE_VIEW: Final = "Travel,gold,persuadable,stable,medium,preferred,established"


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A prompt or a variant: analyze, draft, judge, draft@b.")],
    member: Annotated[
        str | None, typer.Option("--member", metavar="USER_ID", help="A cardmember of the database.")
    ] = None,
    domain: Annotated[Domain | None, typer.Option("--domain", help="Offer category.  [default: Travel]")] = None,
    view: Annotated[
        str | None,
        typer.Option(
            "--view",
            metavar="BANDS",
            help=f"In place of a member, the seven fields a prompt sees, with commas: {EXAMPLE_VIEW}",
        ),
    ] = None,
    mode: Annotated[CopyMode | None, typer.Option("--mode", help="select or compose.  [default: COPY_MODE]")] = None,
    asking: Annotated[
        bool, typer.Option("--ask", help="Ask the model for the hypotheses that a composed draft is told.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the messages' bytes and nothing else.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Print a prompt exactly as the model gets it, with what each part weighs in tokens.

    The graph's own steps build it; no draft is asked for, nothing is written, and screening is passed over. Without
    --member it is the prompt of an example's bands (--view), which needs no database.

    Example:

        offers prompts show draft --member USER_000068 --domain Dining
        offers prompts show draft@b --mode compose --view "Retail,basic,lost_cause,decreasing,low,other,new"
        offers prompts show judge --raw
    """
    if member is not None and view is not None:
        raise typer.BadParameter("give --member or --view, not both")
    if view is not None and domain is not None:
        raise typer.BadParameter("--view names the domain itself; --domain goes with --member")
    with busy("reading policies and prompts"):
        from graph.settings import load_settings

        settings = load_settings()
        shown, seen = asyncio.run(
            _shown(settings, name, member=member, domain=domain, bands=view, mode=mode, asking=asking)
        )
    if raw:
        out().file.write("\n\n".join(text for _, text in shown.ask.messages) + "\n")
    elif as_json:
        out().file.write(_json(shown, seen))
    else:
        out().print(_page(shown, seen), soft_wrap=True)


async def _shown(
    settings: "Settings",
    name: str,
    *,
    member: str | None,
    domain: Domain | None,
    bands: str | None,
    mode: CopyMode | None,
    asking: bool,
) -> "tuple[PromptView, MemberView]":
    from graph.deps import open_deps
    from graph.prompt_view import prompt_view
    from tools.errors import IndexUnavailable

    step, variant = step_of(name)
    deps = await open_deps(settings)
    try:
        seen = await _member_view(member, domain or "Travel", deps) if member else view_of(bands, domain)
        wanted = mode or deps.copy_mode
        if step == "draft" and wanted == "compose":
            with suppress(IndexUnavailable):  # the prompt's own note says what is missing
                await deps.sync_index()
        return await prompt_view(step, seen, deps, mode=wanted, variant=variant, asking=asking), seen
    finally:
        await deps.aclose()


def step_of(name: str) -> "tuple[StepName, str | None]":
    """Split `draft@b` into step and variant. Raises InputInvalid for a step there is none of."""
    from graph.prompt_view import STEPS
    from tools.errors import InputInvalid

    step, _, variant = name.removesuffix(".md").rpartition("/")[2].partition("@")
    if step not in STEPS:
        raise InputInvalid(f"prompt is {name!r}: allowed are {', '.join(STEPS)}, or a variant such as draft@b")
    return step, variant or None


def view_of(bands: str | None, domain: Domain | None = None) -> "MemberView":
    """Return the view that bands name, in the order of `MemberView`; an example's without any."""
    from pydantic import ValidationError

    from graph.invalid import explain
    from tools.errors import InputInvalid
    from tools.views import MemberView

    given = [part.strip() for part in (bands or EXAMPLE_VIEW).split(",")]
    names = list(MemberView.model_fields)
    if len(given) != len(names):
        raise InputInvalid(f"--view is {bands!r}: give {', '.join(names)} with commas, such as {EXAMPLE_VIEW}")
    values = dict(zip(names, given, strict=True)) | ({"domain": domain} if domain else {})
    try:
        return MemberView.model_validate(values)
    except ValidationError as error:
        raise InputInvalid(f"--view: {explain(error)}") from error


async def _member_view(user_id: str, domain: Domain, deps: "Deps") -> "MemberView":
    from tools.errors import InputInvalid
    from tools.signals import read_signals

    member = await deps.members.load(user_id)
    if member is None:
        raise InputInvalid(f"--member is {user_id!r}: there is no such cardmember; `offers db sample` loads some")
    seen = read_signals(member, deps.today()).view(domain)
    if seen is None:
        raise InputInvalid(
            f"--member is {user_id!r}: no prompt is made for them (a card tier that isn't known, or a sleeping dog)"
        )
    return seen


def weights(shown: "PromptView") -> dict[str, int]:
    """Return about how many tokens each part of a prompt has."""
    from tools.prompt_budget import tokens

    return {part.name: tokens(part.text) for part in shown.parts}


def _page(shown: "PromptView", seen: "MemberView") -> "RenderableType":
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    told: list[RenderableType] = [_facts(shown, seen)]
    for part in shown.parts:
        told += [Rule(f"{part.role}: {part.name}", align="left", style="dim"), Text(plain(part.text))]
    return Group(*told, Rule(style="dim"))


def _facts(shown: "PromptView", seen: "MemberView") -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    prompt, ask, counts = shown.prompt, shown.ask, weights(shown)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold cyan", no_wrap=True)
    grid.add_column()
    rows = {
        "prompt": f"{prompt.name} {prompt.header.version}, digest {prompt.digest}",
        "for": ", ".join(map(str, seen.model_dump().values())),
        "tokens": f"about {sum(counts.values())}: {', '.join(f'{name} {count}' for name, count in counts.items())}",
        "parameters": f"temperature {ask.temperature:g}, max_tokens {ask.max_tokens}",
        "schema": f"{ask.name}, {_schema_size(shown):,} bytes of JSON beside the messages",
    }
    for label, value in rows.items():
        grid.add_row(label, Text(plain(value)))
    for note in shown.notes:
        grid.add_row("note", Text(plain(note), style="yellow"))
    return grid


def _schema_size(shown: "PromptView") -> int:
    import json

    return len(json.dumps(shown.ask.schema, ensure_ascii=False).encode())


def _json(shown: "PromptView", seen: "MemberView") -> str:
    import json

    prompt, ask = shown.prompt, shown.ask
    told = {
        "prompt": prompt.name,
        "version": prompt.header.version,
        "digest": prompt.digest,
        "view": seen.model_dump(),
        "temperature": ask.temperature,
        "max_tokens": ask.max_tokens,
        "schema_name": ask.name,
        "schema": ask.schema,
        "messages": [{"role": role, "content": text} for role, text in ask.messages],
        "tokens": weights(shown),
        "notes": list(shown.notes),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
