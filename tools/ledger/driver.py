"""Who drives a campaign: at most one process, which holds an advisory lock of PostgreSQL for as long as it lives.

The server drops the lock with the holder's connection, `kill -9` included, so no lease has to run out first.
"""

from typing import Final

from psycopg import AsyncConnection

DRIVER_KEY: Final = "hashtextextended('campaign driver/' || %(campaign_id)s, 4)"
"""The lock's key in SQL, of the parameter `campaign_id`; 0 to 3 seed the ledger's other locks."""


async def hold_for_transaction(connection: AsyncConnection, campaign_id: int) -> bool:
    """Take the lock until the transaction ends; return False, without waiting, while a driver has it."""
    cursor = await connection.execute(
        f"select pg_try_advisory_xact_lock({DRIVER_KEY})".encode(), {"campaign_id": campaign_id}
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def is_driven(connection: AsyncConnection, campaign_id: int) -> bool:
    """Return whether a driver lives, without touching its lock."""
    cursor = await connection.execute(_DRIVEN.encode(), {"campaign_id": campaign_id})
    return await cursor.fetchone() is not None


# A lock of one 64-bit key is listed as two halves, with `objsubid` 1.
_DRIVEN: Final = f"""
select from pg_locks l
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and l.database = (select oid from pg_database where datname = current_database())
  and ((l.classid::bigint << 32) | l.objid::bigint) = {DRIVER_KEY}
limit 1
"""
