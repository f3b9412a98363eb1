"""When a warehouse export was taken: its monthly counts are true as of then, and the ledger counts on from there."""

from datetime import datetime

from tools.database import Database


async def record_snapshot(database: Database, *, table: str, taken_at: datetime) -> None:
    """Note that `table` now holds an export taken at `taken_at` (aware). Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        await connection.execute(
            "insert into cardmember_snapshot (table_name, taken_at) values (%s, %s)"
            " on conflict (table_name) do update set taken_at = excluded.taken_at",
            (table, taken_at),
        )
