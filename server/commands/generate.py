"""`offers generate`: decide one prediction, or a file of them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from server.commands.console import busy, err, out
from tools.vocabulary import DOMAINS

if TYPE_CHECKING:
    from graph.schemas import OfferOutput
    from graph.settings import Settings

app = typer.Typer()
EXAMPLE: Final = "offers generate USER_000006 --domain Travel --confidence 0.9"


def _domain(value: str | None) -> str | None:
    """Return the domain as the system spells it, however its letters were typed."""
    found = next((domain for domain in DOMAINS if value is not None and domain.lower() == value.lower()), None)
    if value is not None and found is None:
        raise typer.BadParameter(f"{value!r} is no domain; allowed: {', '.join(DOMAINS)}")
    return found


@app.command(no_args_is_help=True, rich_help_panel="Offers")
def generate(
    user_id: Annotated[str | None, typer.Argument(metavar="USER_ID", help="Key of the cardmember.")] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="DOMAIN", callback=_domain, help="Predicted category, such as Travel.")
    ] = None,
    confidence: Annotated[float | None, typer.Option(min=0, max=1, help="The predicting model's confidence.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decide a .json, .jsonl or .csv file of predictions.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the outcomes of a file here, one JSON a line.")
    ] = None,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Skip the model's analysis; it still chooses copy.")] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show each node, its time and tokens, and each draft's violations.")
    ] = False,
    variant: Annotated[
        list[str] | None,
        typer.Option(metavar="PROMPT=VARIANT", help="Use a prompt's variant, such as draft=b; again for another."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Decide without recording or issuing anything.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON and nothing else.")] = False,
) -> None:
    """Decide one prediction, or every prediction of a file, and issue the offers that pass every policy.

    The same prediction again gives the recorded outcome: nothing is issued twice. Offers are written to OUTPUT_DIR.

    Example:

        offers generate USER_000006 --domain Travel --confidence 0.9 --trace
        offers generate USER_000005 --domain Dining --confidence 0.92 --preview
        offers generate USER_000005 --domain Dining --confidence 0.92 --preview --variant draft=b
        offers generate --predictions predictions.json --out outcomes.jsonl
    """
    variants = _variants(variant or [])
    one = user_id is not None
    if one == (predictions is not None):
        raise typer.BadParameter("give either a USER_ID or --predictions FILE")
    if one and (domain is None or confidence is None):
        raise typer.BadParameter(f"with a USER_ID also give --domain and --confidence: {EXAMPLE}")
    if one and output is not None:
        raise typer.BadParameter("--out goes with --predictions; for one outcome use --json")
    if not one and (domain is not None or confidence is not None or trace):
        raise typer.BadParameter("--domain, --confidence and --trace go with a USER_ID, not with --predictions")

    from graph.settings import load_settings

    settings = load_settings()
    if predictions is not None:
        with busy("starting"):
            from server.commands.batch import decide_file

        asyncio.run(
            decide_file(
                settings,
                predictions,
                out=output,
                llm=not no_llm,
                preview=preview,
                as_json=as_json,
                variants=variants,
            )
        )
        return
    raw = {"user_id": user_id, "domain": domain, "confidence_score": confidence, "use_llm_insights": not no_llm}
    outcome = asyncio.run(_decide(settings, raw, trace=trace, preview=preview, as_json=as_json, variants=variants))
    if outcome.recommendation == "error":
        raise typer.Exit(1)


def _variants(given: list[str]) -> dict[str, str]:
    """Return the variant asked for per prompt; whether there is such a file is seen when the run starts."""
    variants: dict[str, str] = {}
    for text in given:
        prompt, equals, variant = text.partition("=")
        if not (prompt and equals and variant):
            raise typer.BadParameter(f"--variant {text!r} is not of the form PROMPT=VARIANT, such as draft=b")
        if prompt in variants:
            raise typer.BadParameter(f"--variant names {prompt!r} twice: give one variant of each prompt")
        variants[prompt] = variant
    return variants


async def _decide(
    settings: "Settings", raw: dict[str, Any], *, trace: bool, preview: bool, as_json: bool, variants: dict[str, str]
) -> "OfferOutput":
    with busy("starting"):
        from graph.context import Context
        from graph.trace import Tracer
        from server.commands.session import ready_session
        from server.commands.story import story
        from server.commands.trace_view import trace_view
    async with ready_session(settings) as session:
        tracer = Tracer()
        context = Context(mode="preview" if preview else "issue", prompt_variants=variants)
        with busy("deciding"):
            outcome = await session.decide(raw, context, observer=tracer)
            files = await session.files(outcome)
        if as_json:
            out().file.write(outcome.model_dump_json(indent=2) + "\n")
            return outcome
        seen = tracer.trace()
        told = await session.recorded(outcome.run_id) if outcome.replayed else seen
        if trace:
            out().print(trace_view(seen))
            if outcome.replayed and told is not None:
                out().print("\nthe recorded run:", style="magenta")
                out().print(trace_view(told))
        out().print(story(outcome, trace=told, files=files))
        if outcome.recommendation == "user_not_found":
            err().print("next:  `offers db load FILE` loads your members, `offers db sample` synthetic ones")
    return outcome
