"""Letting go of predictions that a stopping process had claimed, so that nobody waits for their leases to end."""

from collections.abc import Collection

from tools.database import Database


async def end_leases(database: Database, run_ids: Collection[str]) -> int:
    """Give up the claims of runs that will not finish and return how many were open. Raises DatabaseUnavailable."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "update offer_item set reserves = false, lease_until = now() where status = 'pending' and owner = any(%s)",
            (list(run_ids),),
        )
    return cursor.rowcount
