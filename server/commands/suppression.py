"""`offers suppression`: the list of members who get no offers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from server.commands.console import busy, counted, err, out, plain, stopped, warn

if TYPE_CHECKING:
    from tools.database import Database

app = typer.Typer(no_args_is_help=True, help="Who gets no offers: look, add, remove, import an existing list.")

Users = Annotated[list[str], typer.Argument(metavar="USER_ID...", help="Keys of members; they need not be loaded yet.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who answers for it; kept as the entry's source.")]
_Answer = TypeVar("_Answer")


@app.command("list")
def show(
    user_id: Annotated[str | None, typer.Argument(help="Only this member.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many entries, newest first.")] = 20,
) -> None:
    """Show who is on the suppression list, since when, and who said so: a link of an email, a person or a file.

    Whoever stands there gets no offer, whatever a prediction says.

    Example:

        offers suppression list
        offers suppression list USER_000006
    """
    from rich.table import Table
    from rich.text import Text

    from tools.ledger.suppression_list import listed

    with busy("asking the ledger"):
        rows, count = _run(lambda database: listed(database, limit=limit, user_id=user_id))
    if rows:
        grid = Table()
        for name in ("user_id", "source", "since (UTC)"):
            grid.add_column(name)
        for row in rows:
            grid.add_row(Text(plain(row.user_id)), Text(plain(row.source)), f"{row.created_at:%Y-%m-%d %H:%M}")
        out().print(grid)
    elif user_id is not None:
        out().print(Text(f"{plain(user_id)} is not on the list"), soft_wrap=True)
    members = "1 member is" if count == 1 else f"{count:,} members are"
    out().print(f"{members} on the list, {len(rows):,} shown")


@app.command(no_args_is_help=True)
def add(users: Users, by: By) -> None:
    """Put members on the list: from now on nothing is issued or sent to them. A link in an email can't undo it.

    Example:

        offers suppression add USER_000006 USER_000007 --by "Client Care"
    """
    from tools.ledger import suppression_list

    ids, source = [suppression_list.checked("user_id", user) for user in users], suppression_list.checked("--by", by)
    with busy("asking the ledger"):
        added = _run(lambda database: suppression_list.add(database, ids, source=source))
    out().print(f"{added:,} added, {len(set(ids)) - added:,} were on the list")
    if _warn_misspelled():
        raise typer.Exit(1)


@app.command(no_args_is_help=True)
def remove(users: Users, by: By) -> None:
    """Take members off the list, however they came onto it. Whoever has not opted in to marketing still gets nothing.

    Example:

        offers suppression remove USER_000006 --by "Client Care"
    """
    from tools.ledger import suppression_list

    ids, source = [suppression_list.checked("user_id", user) for user in users], suppression_list.checked("--by", by)
    with busy("asking the ledger"):
        removed = _run(lambda database: suppression_list.remove(database, ids, source=source))
    out().print(f"{removed:,} removed, {len(set(ids)) - removed:,} were not on the list")


@app.command("import", no_args_is_help=True)
def import_list(
    file: Annotated[Path, typer.Argument(help="A .csv file with a header: user_id, and source if you like.")],
    by: By,
) -> None:
    """Put everyone in a file on the list. All good lines count, or none if it is interrupted; bad ones are reported.

    Example:

        offers suppression import do_not_contact.csv --by "Client Care, list of 2026-11-01"
    """
    from graph.settings import load_settings
    from tools.ledger import suppression_list

    settings, source = load_settings(), suppression_list.checked("--by", by)
    with stopped(f"nothing of {file} was put on the list"), _bar(file) as tell:
        done = _run(
            lambda database: suppression_list.import_file(
                database, file, source=source, rejects_dir=settings.output_dir / "rejects", progress=tell
            )
        )
    out().print(f"{counted(done.read, 'line')}: {done.added:,} added, {done.already:,} were on the list or repeated")
    for reject in done.shown:
        warn(f"line {reject.line}: {reject.column} {reject.value[:40]!r} {reject.reason}")
    if done.rejects_path is not None:
        warn(f"{counted(done.rejected, 'line')} rejected: {done.rejects_path}; mend and import again")
    if _warn_misspelled() or done.rejects_path is not None:
        raise typer.Exit(1)


def _warn_misspelled() -> bool:
    """Name entries that are a member's key but for case or blanks: keys are compared exactly, so they stop nothing."""
    from graph.settings import load_settings
    from tools.ledger.suppression_list import misspelled

    table = load_settings().cardmember_table
    found = _run(lambda database: misspelled(database, table=table))
    for listed_as, key in found:
        warn(f"{plain(listed_as)!r} is on the list, and the member is {plain(key)!r}: nothing is stopped for them")
    if found:
        warn("add those members by their own keys: offers suppression add USER_ID... --by NAME")
    return bool(found)


def _run(work: "Callable[[Database], Awaitable[_Answer]]") -> _Answer:
    """Do the work on the configured database."""
    from graph.database import open_database
    from graph.settings import load_settings

    settings = load_settings()

    async def run() -> _Answer:
        database = open_database(settings)
        try:
            return await work(database)
        finally:
            await database.aclose()

    return asyncio.run(run())


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int], None]]:
    """Show how much of the file was read."""
    from rich.progress import Progress

    with Progress(console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task("importing", total=file.stat().st_size if file.is_file() else None)
        yield lambda read: bar.update(task, completed=read)
