"""`offers eval`: versions of the prompts over the golden set, measured, compared and kept."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from server.commands.console import busy, counted, err, fail, out, program, warn

if TYPE_CHECKING:
    from graph.settings import Settings
    from server.commands.evaluation_view import Progressing
    from server.evaluation.compare import Comparison
    from server.evaluation.session import Request, Work
    from server.evaluation.store import Store

app = typer.Typer(invoke_without_command=True)

WORSE: Final = 1
CANT_TELL: Final = 3

Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where evaluations are kept: DATA_DIR/evals.")]


@app.callback()
def evaluate(
    context: typer.Context,
    prompt: Annotated[
        str | None, typer.Option(metavar="NAME", help="Version to evaluate: draft, draft@b, analyze@x.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="NAME|ID", help="Compare with this version, or with a stored evaluation.")
    ] = None,
    members: Annotated[int, typer.Option(min=1, metavar="N", help="Cases: the first N of the golden set.")] = 200,
    repeat: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Times each case is drafted anew.")] = 1,
    mode: Annotated[Literal["select", "compose"] | None, typer.Option(help="Copy mode; unset: COPY_MODE.")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit with 1 when the comparison says worse.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="With --gate: exit with 3 when it can't tell.")] = False,
    resume: Annotated[
        str | None, typer.Option(metavar="ID", help="Go on with this evaluation; its text must be as it was.")
    ] = None,
    golden: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Golden set; unset: tests/golden of the checkout.")
    ] = None,
    folder: Out = None,
) -> None:
    """Run versions of a prompt over the golden set, and say whether one is better.

    Real graph, real gate, the configured model, in preview: nothing is issued, no ledger is written, and each
    completion is asked anew. Both versions take turns case by case. The same command again goes on with what was
    interrupted. Exit codes with --gate: 1 worse (or a fault), 0 better or can't tell; --strict makes can't tell a 3.

    Example:

        offers eval --prompt draft@b --against draft --members 100
        offers eval --prompt draft --against 20261201-101500-draft-1a2b --gate
        offers eval list
    """
    if context.invoked_subcommand is not None:
        return
    if resume is not None and prompt is not None:
        raise typer.BadParameter("--resume ID names the version itself; leave out --prompt")
    if gate and against is None:
        raise typer.BadParameter("--gate judges a comparison; name what to compare with: --against draft")
    if gate and resume is None:
        from server.evaluation.verdict import FEWEST_CASES

        if members < FEWEST_CASES:  # else the gate could never close
            raise typer.BadParameter(f"--gate takes --members {FEWEST_CASES} at least: fewer never give a verdict")
    if strict and not gate:
        raise typer.BadParameter("--strict goes with --gate")

    from graph.settings import ROOT, load_settings

    settings = load_settings()
    with busy("starting"):
        from server.evaluation.session import Request

    asked = Request(
        prompt=prompt or "draft",
        against=against,
        members=members,
        repeat=repeat,
        mode=mode,
        golden=golden or ROOT / "tests" / "golden",
        out=folder or settings.data_dir / "evals",
        resume=resume,
    )
    again = _again(asked, settings, gate=gate, strict=strict)
    comparison = _evaluated(asked, settings, again)
    if gate and comparison is not None:
        _gated(comparison, strict=strict)


def _gated(comparison: "Comparison", *, strict: bool) -> None:
    """Exit as --gate and --strict say."""
    from server.evaluation.verdict import FEWEST_CASES

    word, cases = comparison.verdict.word, len(comparison.pairing.cases)
    if cases < FEWEST_CASES:
        fail(
            f"the gate stays closed: {counted(cases, 'case')} to compare can't give a verdict",
            hint=f"compare {FEWEST_CASES} at least: --members, or another --against",
        )
        raise typer.Exit(WORSE)
    if word == "worse":
        raise typer.Exit(WORSE)
    if word == "can't tell":
        warn("the comparison can't tell; more members or --repeat can")
        if strict:
            raise typer.Exit(CANT_TELL)


@app.command("list")
def list_evaluations(folder: Out = None) -> None:
    """List the evaluations that are kept, the latest first.

    Example:

        offers eval list
    """
    from server.commands.evaluation_view import kept_table

    store = _store(folder)
    kept = store.list()
    if not kept:
        out().print(f"no evaluation in {store.folder} yet: `{program()} eval --prompt draft` makes one", soft_wrap=True)
        return
    out().print(kept_table(kept))


@app.command("compare", no_args_is_help=True)
def compare_evaluations(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="Evaluation to compare with: its id or the start.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Evaluation that is judged.")],
    folder: Out = None,
) -> None:
    """Compare two evaluations that are kept, and write the reports again. Asks no model.

    Example:

        offers eval compare 20261201-101500-draft-1a2b 20261201-101500-draft-b-3c4d
    """
    from graph.settings import load_settings

    _compared(_store(folder), load_settings(), before, after)


def _store(folder: Path | None) -> "Store":
    from graph.settings import load_settings
    from server.evaluation.store import Store

    return Store(folder or load_settings().data_dir / "evals")


def _evaluated(asked: "Request", settings: "Settings", again: str) -> "Comparison | None":
    """Run, print what came of it, and return the comparison, if there is one."""
    from rich.text import Text

    from server.commands.evaluation_view import Progressing, summary_table
    from server.evaluation.metrics import summarise
    from server.evaluation.store import Store
    from tools.errors import OfferGraphError

    progress = Progressing()
    try:
        work = asyncio.run(_run(asked, settings, progress))
    except KeyboardInterrupt as interrupt:
        told = f"{progress.told()} and nothing is lost" if progress.begun else "nothing was asked yet"
        fail(f"stopped: {told}", hint=f"go on with: {again}" if progress.begun else None)
        raise typer.Exit(130) from interrupt
    except OfferGraphError as error:
        if not progress.begun:
            raise
        fail(f"{error}; {progress.told()}", hint=f"go on with: {again}")
        raise typer.Exit(1) from error
    store = Store(asked.out)
    if work.baseline is None:
        found = store.load(work.candidate.eval_id)
        out().print(summary_table(found.manifest, summarise(found.results, settings.prices), settings.prices))
        out().print(Text(f"kept: {asked.out / work.candidate.eval_id}"), soft_wrap=True)
        return None
    return _compared(store, settings, work.baseline.eval_id, work.candidate.eval_id)


async def _run(asked: "Request", settings: "Settings", progress: "Progressing") -> "Work":
    from server.commands.evaluation_view import estimate
    from server.evaluation.session import evaluation_session

    async with AsyncExitStack() as opened:
        with busy("starting the database, the policy index and the golden set"):
            session = await opened.enter_async_context(evaluation_session(settings, asked))
        for warning in session.warnings:
            warn(warning)
        work = await asyncio.to_thread(opened.enter_context, session.prepared(asked))
        for note in (*work.notes, *estimate(session.deps, len(work.left))):
            err().print(note, soft_wrap=True, markup=False)
        with progress.of(work):
            await session.run(work, advanced=progress.advanced)
        return work


def _compared(store: "Store", settings: "Settings", before: str, after: str) -> "Comparison":
    from rich.text import Text

    from server.evaluation.compare import compare
    from server.evaluation.report import write_report
    from server.evaluation.tables import console_tables

    comparison = compare(store.load(before), store.load(after), prices=settings.prices)
    out().print(console_tables(comparison))
    folder = store.folder / "reports" / f"{comparison.a.eval_id}..{comparison.b.eval_id}"
    for path in write_report(folder, comparison):
        out().print(Text(f"report: {path}"), soft_wrap=True)
    return comparison


def _again(asked: "Request", settings: "Settings", *, gate: bool, strict: bool) -> str:
    """Return the command that goes on with this one."""
    import shlex

    from graph.settings import ROOT

    words = [program(), "eval"]
    if asked.resume is not None:
        words += ["--resume", asked.resume]
    else:
        words += ["--prompt", asked.prompt, "--members", str(asked.members), "--repeat", str(asked.repeat)]
    words += ["--against", asked.against] if asked.against is not None else []
    words += ["--mode", asked.mode] if asked.mode is not None else []
    words += ["--golden", str(asked.golden)] if asked.golden != ROOT / "tests" / "golden" else []
    words += ["--out", str(asked.out)] if asked.out != settings.data_dir / "evals" else []
    return shlex.join([*words, *(["--gate"] if gate else []), *(["--strict"] if strict else [])])
