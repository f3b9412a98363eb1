"""Cardmembers in and out of the database, for the data commands."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from graph.database import database_url, open_database
from graph.settings import Settings
from tools.cardmembers import fetch_members, table_identifier
from tools.database import Database
from tools.errors import InputInvalid
from tools.load import LoadProgress, LoadReport, load_file

if TYPE_CHECKING:
    import polars as pl

Tell = Callable[[int], None]
"""Hears how many members are drawn so far."""


async def count_members(database: Database, table: str) -> int:
    """Return how many members the table holds."""
    async with database.connection() as connection:
        cursor = await connection.execute(sql.SQL("select count(*) from {}").format(table_identifier(table)))
        row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def holds_members(settings: Settings, *, table: str | None = None) -> bool:
    """Return whether the table holds any member."""
    database = open_database(settings)
    try:
        return await count_members(database, table or settings.cardmember_table) > 0
    finally:
        await database.aclose()


async def require_sample(database: Database, table: str) -> int:
    """Return how many members the table holds; raise InputInvalid when they are not synthetic ones."""
    from tools.sample import SNAPSHOT, edge_members

    count = await count_members(database, table)
    names = dict(edge_members(SNAPSHOT).select("user_id", "name").iter_rows())
    held = await fetch_members(await database.pool(), list(names), table=table)
    if count and (not held or any(member.name != _stored(names[user_id]) for user_id, member in held.items())):
        raise InputInvalid(
            f"table {table!r} holds {count:,} members that are not the synthetic ones, and these must not mix with "
            "them; name a table of its own: CARDMEMBER_TABLE=sample_member"
        )
    return count


def _stored(name: str | None) -> str | None:
    return name.strip() if name else name


async def members_for_predictions(database: Database, table: str) -> "pl.DataFrame":
    """Return what a scoring job looks at: key and preferred domains, in the order of the key."""
    import polars as pl

    names = ("user_id", "preferred_domain_1", "preferred_domain_2")
    query = sql.SQL('select {} from {} order by user_id collate "C"').format(
        sql.SQL(", ").join(map(sql.Identifier, names)), table_identifier(table)
    )
    async with database.connection() as connection:
        cursor = await connection.execute(query)
        rows = await cursor.fetchall()
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


async def load_sample(
    settings: Settings,
    *,
    n: int,
    seed: int,
    drawn: Tell | None = None,
    progress: Callable[[LoadProgress], None] | None = None,
) -> LoadReport:
    """Draw synthetic members and upsert them, through a file as any export would be."""
    with tempfile.TemporaryDirectory(prefix="offergraph-") as folder:
        path = Path(folder) / "sample.csv"
        await asyncio.to_thread(write_sample, path, n=n, seed=seed, drawn=drawn)
        conninfo = await database_url(settings)
        return await load_file(conninfo, path, table=settings.cardmember_table, progress=progress)


def write_sample(path: Path, *, n: int, seed: int, drawn: Tell | None = None) -> None:
    """Write synthetic members as .csv or .parquet; the file appears whole or not at all.

    CSV is written chunk by chunk; Parquet holds all members in memory once, about 0.5 KB each.
    Raises InputInvalid for another suffix or a number out of range.
    """
    from tools.sample import iter_members, sample_members

    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise InputInvalid(f"--out {path.name}: can't write {suffix or 'a file without suffix'}; use .csv or .parquet")
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".parquet":
            sample_members(n, seed=seed).write_parquet(draft)
        else:
            with draft.open("wb") as stream:
                count = 0
                if n == 0:
                    sample_members(0, seed=seed).write_csv(stream)
                for chunk in iter_members(n, seed=seed):
                    chunk.write_csv(stream, include_header=count == 0)
                    count += len(chunk)
                    if drawn is not None:
                        drawn(count)
        draft.replace(path)
    except OSError as error:
        raise InputInvalid(f"--out {path} can't be written: {error.strerror}; name another file") from error
    finally:
        draft.unlink(missing_ok=True)
