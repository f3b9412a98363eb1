"""`offers prompts show`: the bytes a model gets for one member, and what they weigh."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out
from server.commands.prompt_page import Found, as_json_text, page_of
from tools.vocabulary import CopyMode, Domain

if TYPE_CHECKING:
    from graph.deps import Deps
    from graph.prompt_view import StepName
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
    redraft: Annotated[
        list[str] | None,
        typer.Option(
            "--redraft",
            metavar="PART=POLICY/CLAUSE",
            help="What draft gets after approved copy was sent back, such as body=UDAAP-03/conditions_stated.",
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print the messages' bytes and nothing else.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Print a prompt exactly as the model gets it, with what each part weighs in tokens.

    The graph's own steps build it; no draft is asked for, nothing is written, and screening is passed over. With
    --member the policies are those in force in the database; without, it is the prompt of an example's bands (--view),
    which needs none. Shared tokens are those a provider's prefix cache can serve.

    Example:

        offers prompts show draft --member USER_000068 --domain Dining
        offers prompts show draft@b --mode compose --view "Retail,basic,lost_cause,decreasing,low,other,new"
        offers prompts show draft --mode compose --redraft body=UDAAP-03/conditions_stated
        offers prompts show judge --raw
    """
    if member is not None and view is not None:
        raise typer.BadParameter("give --member or --view, not both")
    if view is not None and domain is not None:
        raise typer.BadParameter("--view names the domain itself; --domain goes with --member")
    criticised = dict(_criticised(each) for each in redraft or ())
    if criticised and step_of(name)[0] != "draft":
        raise typer.BadParameter("--redraft goes with draft")
    with busy("reading policies and prompts"):
        from graph.settings import load_settings

        settings = load_settings()
        found = asyncio.run(
            _found(
                settings,
                name,
                member=member,
                domain=domain,
                bands=view,
                mode=mode,
                asking=asking,
                criticised=criticised,
                weighed=not raw,
            )
        )
    if raw:
        out().file.write("\n\n".join(text for _, text in found.shown.ask.messages) + "\n")
    elif as_json:
        out().file.write(as_json_text(found))
    else:
        out().print(page_of(found), soft_wrap=True)


async def _found(
    settings: "Settings",
    name: str,
    *,
    member: str | None,
    domain: Domain | None,
    bands: str | None,
    mode: CopyMode | None,
    asking: bool,
    criticised: dict[str, str],
    weighed: bool,
) -> Found:
    from graph.prompt_shares import prompt_shares
    from graph.prompt_view import prompt_view
    from server.commands.prompt_desk import prompt_desk

    step, variant = step_of(name)
    wanted = mode or settings.effective_copy_mode
    asked = view_of(bands, domain) if member is None else None
    prose = step == "draft" and wanted == "compose"
    async with prompt_desk(settings, database=member is not None, prose=prose) as deps:
        seen = asked or await _member_view(member or "", domain or "Travel", deps)
        shown = await prompt_view(step, seen, deps, mode=wanted, variant=variant, asking=asking, criticised=criticised)
        shares = await prompt_shares(shown, step, seen, deps, mode=wanted, variant=variant) if weighed else None
        shown = replace(shown, notes=(*shown.notes, *_split_note(settings, step, variant, member)))
        model = deps.judge.model if step == "judge" and deps.judge is not None else deps.model
        return Found(shown, seen, shown.ask.key(model.name), shares)


def _split_note(settings: "Settings", step: str, variant: str | None, member: str | None) -> tuple[str, ...]:
    """Say where a run of this member would be sent another version than the one shown."""
    from graph.context import Context
    from tools.variants import named, variants_for

    if member is None:
        return ()
    arms = variants_for({}, settings.prompt_split, campaign=Context().campaign, user_id=member)
    if arms.get(step) == variant:
        return ()
    due = named(step, arms.get(step))
    return (f"a run for {member} is sent {due} (PROMPT_SPLIT), unless it asks for {named(step, variant)}",)


def _criticised(given: str) -> tuple[str, str]:
    part, equals, clause = given.partition("=")
    if not equals:
        raise typer.BadParameter(f"--redraft is {given!r}: write PART=POLICY/CLAUSE")
    return part.strip(), clause.strip()


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
