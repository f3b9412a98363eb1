"""`offers demo`: from nothing to five decided predictions, told one by one."""

import asyncio
import time
from typing import TYPE_CHECKING, Final

import typer

from server.commands.console import busy, out, program

if TYPE_CHECKING:
    from graph.settings import Settings
    from server.commands.session import Session

app = typer.Typer()
MEMBERS: Final = 1_000
SEED: Final = 7


@app.command(rich_help_panel="Start here")
def demo() -> None:
    """Start everything that is needed, decide five predictions about synthetic members, and tell each one's story.

    One member opted out, one is at the monthly cap, one is unknown, and two get an offer. A second run replays the
    recorded decisions. Ctrl-C at any time leaves nothing half done.

    Example:

        offers demo
        OUTPUT_DIR=/tmp/offers offers demo
    """
    from graph.settings import load_settings

    asyncio.run(_demo(load_settings()))


async def _demo(settings: "Settings") -> None:
    started = time.monotonic()
    out().print("[bold]OfferGraph demo[/bold]: from a prediction to a compliant offer, five times\n")
    with busy("reading policies, prompts and approved copy", done="policies, prompts and approved copy"):
        from server.commands.session import open_session
        from tools.sample import demo_predictions
    async with open_session(settings) as session:
        await _start(session)
        predictions = demo_predictions().to_dicts()
        await _start_model(session, predictions)
        replayed = await _decide(session, predictions)
    took = time.monotonic() - started
    out().print(f"\n[bold]{len(predictions)} predictions[/bold] in {took:.1f} s, {replayed} of them replayed.")
    out().print(f"\n[bold]Next[/bold]\n{_next_commands(settings)}", soft_wrap=True)


async def _start(session: "Session") -> None:
    from server.commands.members import load_sample, require_sample

    settings, table = session.settings, session.settings.cardmember_table
    with busy("starting PostgreSQL", done=f"PostgreSQL ({'DATABASE_URL' if settings.database_url else 'embedded'})"):
        await session.connect()
    if members := await require_sample(session.deps.database, table):
        out().print(f"  [green]ok[/green]  {members:,} members in table {table}")
    else:
        with busy(f"drawing {MEMBERS:,} synthetic members", done=f"{MEMBERS:,} synthetic members (seed {SEED})"):
            await load_sample(settings, n=MEMBERS, seed=SEED)
    with busy("indexing the policies", done="policy index"):
        await session.sync_index()


async def _start_model(session: "Session", predictions: list[dict[str, object]]) -> None:
    """Start the chat model, unless every prediction is recorded already."""
    from graph.schemas import OfferInput
    from server.commands.console import warn
    from tools.errors import ModelUnavailable
    from tools.ledger.claims import ONLINE

    keys = [OfferInput.model_validate(item).prediction_key(session.deps.today()) for item in predictions]
    if all([await session.deps.records.outcome(ONLINE, key) for key in keys]):
        out().print("  [green]ok[/green]  chat model not needed: every prediction is recorded")
        return
    name = f"chat model ({session.deps.model.name}{', embedded' if session.settings.embedded_model else ''})"
    try:
        with busy("starting the chat model", done=name):
            await session.deps.model.probe()
    except ModelUnavailable as error:
        warn(f"chat model: {error}; offers use approved copy that code chooses")


async def _decide(session: "Session", predictions: list[dict[str, object]]) -> int:
    """Decide all at once, tell them in order, and return how many were replayed."""
    from graph.context import Context
    from server.commands.story import story

    runs = [asyncio.create_task(session.decide(item, Context(mode="issue"))) for item in predictions]
    replayed = 0
    try:
        for place, run in enumerate(runs, start=1):
            with busy(f"deciding prediction {place} of {len(runs)}"):
                outcome = await run
                trace = await session.recorded(outcome.run_id)
                files = await session.files(outcome)
            replayed += outcome.replayed
            out().print()
            out().print(story(outcome, trace=trace, files=files, title=f"{place} of {len(runs)}"))
    finally:
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
    return replayed


def _next_commands(settings: "Settings") -> str:
    name = program()
    return "\n".join(
        (
            f"  {name} generate USER_000007 --domain Travel --confidence 0.9 --trace",
            f"  {name} serve      then open http://{settings.host}:{settings.port}/docs",
            f"  {name} db predictions --n 20 --out predictions.json && {name} generate --predictions predictions.json",
        )
    )
