"""`offers trace`: a past run step by step, read from its record."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.console import busy, counted, err, fail, out, plain

if TYPE_CHECKING:
    from graph.settings import Settings
    from tools.database import Database
    from tools.ledger.decisions import Decision, Listed

app = typer.Typer()


@app.command(rich_help_panel="Offers")
def trace(
    run_id: Annotated[
        str | None, typer.Argument(metavar="[RUN_ID]", help="A run's id, or its first digits; none lists the latest.")
    ] = None,
    last: Annotated[int, typer.Option("--last", min=1, max=1000, metavar="N", help="How many runs to list.")] = 20,
    clauses: Annotated[bool, typer.Option("--clauses", help="Every clause's result with its evidence.")] = False,
    prompts: Annotated[
        bool, typer.Option("--prompts", help="The exact prompt of each model call, where it can be rendered again.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Render the email from the record and compare its bytes.")
    ] = False,
    person: Annotated[bool, typer.Option("--person", help="Name the person too; else only the user_id.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record itself and nothing else.")] = False,
) -> None:
    """Show how a past run came to its outcome: no model is asked, everything is read from the record.

    Ids stand in every reply (`run_id`), in the names of exported files, and in the list that `offers trace` prints.

    Example:

        offers trace
        offers trace 0f83d1 --clauses
        offers trace 0f83d1 --prompts --replay
    """
    from graph.settings import load_settings

    settings = load_settings()
    if run_id is None:
        if clauses or prompts or replay or person:
            raise typer.BadParameter("--clauses, --prompts, --replay and --person go with a RUN_ID")
        asyncio.run(_list(settings, last, as_json=as_json))
        return
    found = asyncio.run(_find(settings, run_id.strip()))
    if found is None:
        raise typer.Exit(1)
    if as_json:
        out().file.write(json.dumps(found.record, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        return
    _show(settings, found, clauses=clauses, person=person)
    if (prompts or replay) and not asyncio.run(_again(settings, found, prompts=prompts, replay=replay)):
        raise typer.Exit(1)


async def _list(settings: "Settings", limit: int, *, as_json: bool) -> None:
    from tools.ledger.decisions import latest

    with busy("asking the ledger"):
        async with _ledger(settings) as database:
            rows = await latest(database, limit=limit)
    if as_json:
        for row in rows:
            out().file.write(json.dumps(_plain_row(row), ensure_ascii=False) + "\n")
        return
    if not rows:
        out().print("no run is recorded yet")
        err().print("next:  offers generate USER_000006 --domain Travel --confidence 0.9", soft_wrap=True)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim")
    table.add_column("run", no_wrap=True)
    for name, justify in (("when (UTC)", "left"), ("member", "left"), ("domain", "left"), ("outcome", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name in ("drafts", "tokens"):
        table.add_column(name, justify="right")
    for row in rows:
        outcome = f"{row.recommendation}/{row.error_code}" if row.error_code else row.recommendation
        cells = (row.user_id, row.domain, outcome)
        table.add_row(
            Text(plain(row.run_id[:12] if len(row.run_id) == 32 else row.run_id)),
            f"{row.decided_at:%Y-%m-%d %H:%M}",
            *(Text(plain(cell)) for cell in cells),
            str(row.drafts),
            f"{row.tokens:,}",
        )
    out().print(table)
    out().print(f"{counted(len(rows), 'run')}, the newest first; `offers trace RUN` shows one of them", style="dim")


def _plain_row(row: "Listed") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(row), "decided_at": row.decided_at.isoformat()}


async def _find(settings: "Settings", beginning: str) -> "Decision | None":
    """Return the decision that an id or the beginning of one names; say what to do when it names none or several."""
    from tools.ledger.decisions import SHOWN, decision, matching

    with busy("reading the record"):
        async with _ledger(settings) as database:
            ids = await matching(database, beginning) if beginning else []
            found = await decision(database, ids[0]) if len(ids) == 1 else None
    if not ids:
        fail(
            f"no recorded run has the id {beginning!r} or begins with it",
            hint="`offers trace` lists the latest runs; previews and invalid requests leave no record",
        )
    elif len(ids) > 1:
        more = "" if len(ids) <= SHOWN else " and others"
        fail(f"{beginning!r} begins several ids: {', '.join(ids[:SHOWN])}{more}", hint="give more of its digits")
    return found


def _show(settings: "Settings", found: "Decision", *, clauses: bool, person: bool) -> None:
    from graph.trace import read_trace
    from server.commands.run_view import run_view

    told, unread = read_trace(found.record)
    files = _files(settings, found, told.run.started_at) if told.run is not None else []
    out().print(run_view(found, told, unread=unread, files=files, clauses=clauses, person=person))


def _files(settings: "Settings", found: "Decision", started_at: float) -> list[Path]:
    from datetime import UTC, datetime

    from tools.exports import export_folder

    sent_at = datetime.fromtimestamp(int(started_at), UTC)
    folder = export_folder(settings.output_dir, run_id=found.run_id, sent_at=sent_at)
    return sorted(folder.glob(f"{found.run_id}.*"))


async def _again(settings: "Settings", found: "Decision", *, prompts: bool, replay: bool) -> bool:
    """Render prompts and email again from the record; return False when the email's bytes are other ones."""
    with busy("reading policies and prompts"):
        from graph.recorded_prompts import recorded_prompts
        from server.commands.again_view import email_again, prompts_view
        from server.commands.session import open_session
    equal = True
    async with open_session(settings) as session:
        with busy("rendering again"):
            await session.connect()
            if prompts and (found.record.get("versions") or {}).get("copy_mode") == "compose":
                await session.sync_index()  # what is near in meaning stands in those prompts
        if prompts:
            out().print(prompts_view(await recorded_prompts(found.record, session.deps)))
        if replay:
            told, equal = await email_again(found, session.deps)
            out().print(told)
    return equal


@asynccontextmanager
async def _ledger(settings: "Settings") -> AsyncIterator["Database"]:
    """Lend the configured database for a few reads."""
    from graph.database import open_database

    database = open_database(settings)
    try:
        yield database
    finally:
        await database.aclose()
