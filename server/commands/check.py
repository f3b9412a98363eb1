"""`offers check`: a file of copy judged line by line by the policies."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from server.commands.console import busy, err, out, plain

if TYPE_CHECKING:
    from graph.settings import Settings
    from tools.standalone import Checker, CheckReply, CheckRequest, Unreadable

app = typer.Typer()
MAX_LINE: Final = 1_048_576
"""Bytes a line may have; the rest of a longer one is passed over, so that memory stays bounded."""
SHOWN_POLICIES: Final = 15
STYLES: Final = {"pass": "green", "violate": "red", "unknown": "yellow"}


@app.command(no_args_is_help=True, rich_help_panel="Compliance")
def check(
    file: Annotated[Path, typer.Argument(help="One JSON object per line: id, send_date, text, offer, member.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON reply per line and nothing else.")] = False,
    no_judge: Annotated[
        bool, typer.Option("--no-judge", help="Leave out clauses that need a judge: the deterministic part alone.")
    ] = False,
    families: Annotated[
        str, typer.Option(metavar="A,B", help="Only policies of these families (UDAAP for UDAAP-10) or whole ids.")
    ] = "",
) -> None:
    """Check copy that anyone wrote against the policies, line by line. Needs no database and no index.

    Clauses of kind judge are answered by JUDGE_MODEL, many lines at once; without one they are unknown.

    The exit code is 0 when every line was judged, whatever the verdicts, and 1 when one could not be read.

    Example:

        offers check drafts.jsonl
        offers check drafts.jsonl --json --no-judge > replies.jsonl
        offers check drafts.jsonl --families compliance_policy,travel_offer_policy
    """
    from graph.settings import load_settings

    settings = load_settings()
    with file.open("rb") as stream:
        with busy("reading the policies"):
            checker = _checker(settings, no_judge=no_judge, families=families)
        tally = Tally()
        with _bar(file.stat().st_size) as advance:

            def tell(number: int, reply: "CheckReply", done: int) -> None:
                tally.add(reply)
                _print(reply, number, as_json=as_json)
                advance(done)

            if _wants_judge(settings, checker):
                asyncio.run(_judge_all(settings, checker, stream, tell))
            else:
                for number, line, done in _lines(stream):
                    tell(number, _reply(checker, number, line), done)
    if not as_json:
        tally.print()
    if tally.unreadable:
        raise typer.Exit(1)


@dataclass(slots=True)
class Tally:
    """Counts of verdicts and of broken clauses by policy."""

    verdicts: Counter[str] = field(default_factory=Counter)
    policies: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0

    def add(self, reply: "CheckReply") -> None:
        """Count one reply."""
        if reply.error is not None:
            self.unreadable += 1
            return
        self.verdicts[reply.verdict] += 1
        self.policies.update({item.policy_id for item in reply.violations})

    def print(self) -> None:
        """Print what was counted."""
        from rich.table import Table

        total = self.verdicts.total()
        shares = ", ".join(f"{count:,} {name}" for name, count in self.verdicts.most_common())
        out().print(
            f"\n{total:,} checked: {shares or 'nothing'}"
            + (f"; {self.unreadable:,} unreadable" if self.unreadable else "")
        )
        if self.policies:
            table = Table("policy")
            table.add_column("texts that break it", justify="right")
            for name, count in self.policies.most_common(SHOWN_POLICIES):
                table.add_row(name, f"{count:,}")
            out().print(table)


def _checker(settings: "Settings", *, no_judge: bool, families: str) -> "Checker":
    from graph.gate import load_gate
    from tools.standalone import Checker

    wanted = sorted({name.strip() for name in families.split(",")} - {""})
    return Checker.of(load_gate(settings), judged=not no_judge, families=wanted)


def _wants_judge(settings: "Settings", checker: "Checker") -> bool:
    from tools.standalone import has_judge_clause

    return checker.judged and settings.effective_judge_model is not None and has_judge_clause(checker)


async def _judge_all(
    settings: "Settings", checker: "Checker", stream: BinaryIO, tell: "Callable[[int, CheckReply, int], None]"
) -> None:
    """Check every line with the configured judge; what it answers is remembered for this run alone."""
    from graph.deps import open_judge, token_secret
    from tools.chat.completions import CompletionStore
    from tools.judging import JUDGE_STEP
    from tools.prompt_files import load_prompts
    from tools.standalone import JudgedChecker, in_order

    judge = open_judge(settings, token_secret(settings), CompletionStore(None))
    assert judge is not None  # the caller saw that one is configured
    prompt = load_prompts(settings.prompts_dir, needed={"judge": JUDGE_STEP}).pick("judge", {})
    judged = JudgedChecker(checker, judge, prompt)

    async def work(item: tuple[int, bytes | None, int]) -> "tuple[int, CheckReply, int]":
        number, line, done = item
        request = await asyncio.to_thread(_request, line)
        if isinstance(request, Exception):
            return number, checker.refusal(request, where=f"line {number}: "), done
        return number, await judged.check(request, keep=True), done

    try:
        async for number, reply, done in in_order(_lines(stream), work, at_once=settings.llm_max_concurrency):
            tell(number, reply, done)
    finally:
        await judge.model.aclose()


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None, int]]:
    """Yield each line that is not blank with its number from 1 and the bytes read; None is one that is too long."""
    number = done = 0
    while line := stream.readline(MAX_LINE + 1):
        number, done = number + 1, done + len(line)
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
                done += len(line)
            yield number, None, done
        elif line.strip():
            yield number, line, done


def _reply(checker: "Checker", number: int, line: bytes | None) -> "CheckReply":
    request = _request(line)
    if isinstance(request, Exception):
        return checker.refusal(request, where=f"line {number}: ")
    return checker.check(request)


def _request(line: bytes | None) -> "CheckRequest | Unreadable":
    """Return the line as a request, or why it is none."""
    from tools.standalone import Unreadable, parse_json, read_request

    try:
        if line is None:
            raise Unreadable((((), f"longer than {MAX_LINE:,} bytes; write one object per line"),))
        return read_request(parse_json(line))
    except Unreadable as error:
        return error


def _print(reply: "CheckReply", number: int, *, as_json: bool) -> None:
    if as_json:
        import json

        out().out(json.dumps(reply.as_dict(), ensure_ascii=False), highlight=False)
        return
    from rich.text import Text

    name = f"line {number}" if reply.id is None else plain(str(reply.id))
    if reply.error is not None:
        out().print(Text.assemble(name, "  ", ("unreadable", "magenta"), f"  {plain(reply.error)}"), soft_wrap=True)
        return
    out().print(Text.assemble((name, "bold"), "  ", (reply.verdict, STYLES[reply.verdict])), soft_wrap=True)
    for item in (*reply.violations, *reply.unknown):
        label = item.severity if item in reply.violations else "unknown"
        shown = Text.assemble("    ", (label, "dim"), f" {item.policy_id}/{item.clause_id}")
        where = " ".join(part for part in (item.field, repr(plain(item.quote)) if item.quote else "") if part)
        shown.append(f"  {where}" if where else "", style="cyan")
        shown.append(f"  {plain(item.message)}")
        shown.append(f" {plain(item.fix_hint)}" if item.fix_hint else "", style="dim")
        out().print(shown, soft_wrap=True)


@contextmanager
def _bar(size: int) -> Iterator[Any]:
    """Show how far into the file the check is; hears the position in bytes."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("checking"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # On one terminal the bar and the replies share a console, which keeps the bar below them.
    console = out() if out().is_terminal else err()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking", total=size)
        yield lambda done: progress.update(task, completed=done)
