"""`offers policies drafts | history | set`: versions of policies as the ledger keeps them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import out, plain

if TYPE_CHECKING:
    from graph.settings import Settings
    from tools.ledger.versions import Happened, VersionRow, Versions

app = typer.Typer()
SHOWN_SHA: Final = 12
"""Digits of a hash in tables; enough to name it."""

PolicyId = Annotated[str, typer.Argument(metavar="ID", help="The policy's id.")]


@app.command()
def drafts() -> None:
    """List the drafts that wait for approval, and who proposed each.

    Example:

        offers policies drafts
    """
    from rich.table import Table

    from graph.settings import load_settings
    from server.commands.policy_view import shown

    async def read() -> "list[tuple[VersionRow, str]]":
        async with open_versions(load_settings()) as versions:
            rows = await versions.drafts()
            return [(row, _proposer(await versions.events(row.policy_id), row)) for row in rows]

    table = Table("policy", "version", "type, domains", "proposed by", "sha", "note")
    found = asyncio.run(read())
    for row, proposer in found:
        place = f"{row.type}\n{row.domain}"
        cells = (row.policy_id, row.version, place, proposer, row.sha[:SHOWN_SHA], row.note)
        table.add_row(*map(shown, cells))
    out().print(table if found else "no draft waits for approval")


@app.command(no_args_is_help=True)
def history(policy_id: PolicyId) -> None:
    """List every version a policy ever had: who did what to it, and when.

    Example:

        offers policies history gift_card_policy
    """
    from rich.table import Table

    from graph.settings import load_settings
    from server.commands.policy_view import shown

    async def read() -> "tuple[list[VersionRow], dict[tuple[str, str], list[Happened]]]":
        async with open_versions(load_settings()) as versions:
            return await versions.of(policy_id), await versions.events(policy_id)

    rows, events = asyncio.run(read())
    if not rows:
        raise _unknown(policy_id)
    table = Table("version", "state", "sha", "what happened")
    for row in rows:
        happened = events.get((row.version, row.sha), [])
        told = "\n".join(f"{item.at:%Y-%m-%d %H:%M} {item.event} by {item.by}" for item in happened)
        table.add_row(*map(shown, (row.version, row.state or "file", row.sha[:SHOWN_SHA], told)))
    out().print(table)


@app.command("set", no_args_is_help=True)
def show_set(
    sha: Annotated[
        str, typer.Argument(metavar="SHA", help="A policy set's hash, or its beginning, as records cite it.")
    ],
) -> None:
    """List the policies of a set by its hash, which every decision's record cites.

    Example:

        offers policies set e4316e37630e
    """
    from rich.table import Table

    from graph.settings import load_settings
    from server.commands.policy_view import shown
    from tools.errors import InputInvalid

    async def read() -> list[tuple[str, str, str, str]]:
        async with open_versions(load_settings()) as versions:
            return await versions.members(sha)

    members = asyncio.run(read())
    sets = {member[0] for member in members}
    if len(sets) != 1:
        found = "several sets begin so; give more digits" if sets else "no process on this database ever loaded it"
        raise InputInvalid(f"SHA is {sha!r}: {found}")
    out().print(f"set {sets.pop()}", soft_wrap=True)
    table = Table("policy", "version", "sha")
    for _, policy_id, version, policy_sha in members:
        table.add_row(*map(shown, (policy_id, version, policy_sha[:SHOWN_SHA])))
    out().print(table)


def show_version(policy_id: str, sha: str) -> None:
    """Print the text of the version a hash names. Raises InputInvalid when there is none."""
    from graph.settings import load_settings
    from tools.errors import InputInvalid

    async def read() -> "VersionRow | None":
        async with open_versions(load_settings()) as versions:
            return await versions.by_sha(policy_id, sha)

    row = asyncio.run(read())
    if row is None:
        raise InputInvalid(f"sha is {sha!r}: {policy_id!r} has no such version; `offers policies history {policy_id}`")
    out().out(plain(row.content), highlight=False)


@asynccontextmanager
async def open_versions(settings: "Settings") -> "AsyncIterator[Versions]":
    """Open the ledger to read versions. Every read raises DatabaseUnavailable."""
    from graph.database import open_database
    from tools.ledger.versions import Versions

    database = open_database(settings)
    try:
        yield Versions(database)
    finally:
        await database.aclose()


def _proposer(events: "dict[tuple[str, str], list[Happened]]", row: "VersionRow") -> str:
    happened = events.get((row.version, row.sha), [])
    return ", ".join(dict.fromkeys(item.by for item in happened if item.event == "proposed"))


def _unknown(policy_id: str) -> Exception:
    from tools.errors import InputInvalid

    return InputInvalid(f"there is no policy {policy_id!r} in the ledger; `offers policies list` shows the files")
