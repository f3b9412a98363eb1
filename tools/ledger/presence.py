"""Who works on a campaign: each worker holds an advisory lock for as long as its connection lives.

Leases alone would keep a dead worker's work from others until they end. A lock ends with its process, so that whoever
drives can give back soon what the dead had; a process that merely stands still keeps its lock, and its lease decides.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg
from psycopg import AsyncConnection

from tools.database import Database
from tools.errors import DatabaseUnavailable

LOOK_S: Final = 1.0
"""Seconds between two looks at whether the lock is still held, or the owner still missed."""
MISSED_S: Final = 3.0
"""How long an owner must be missed: a server that restarts drops all locks, and workers take theirs again."""

_logger = logging.getLogger(__name__)


@asynccontextmanager
async def present(database: Database, owner: str) -> AsyncIterator[None]:
    """Be known to work in the block, from its first moment on. A connection that is lost is opened again."""
    known = asyncio.Event()
    keeping = asyncio.create_task(_keep(database, owner, known))
    try:
        await known.wait()  # who claims before is missed, and its work given to others
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep(database: Database, owner: str, known: asyncio.Event) -> None:
    while True:
        try:
            pool = await database.pool()
            conninfo = pool.conninfo
            assert isinstance(conninfo, str)  # as `Database` opens it
            async with await AsyncConnection.connect(conninfo, autocommit=True) as connection:
                await connection.execute(f"select pg_advisory_lock({_KEY})".encode(), {"owner": owner})
                known.set()
                while True:
                    await asyncio.sleep(LOOK_S)
                    await connection.execute("select 1")
        except (psycopg.Error, DatabaseUnavailable) as error:
            _logger.warning(
                "worker %s is not known to the ledger for a moment: %s", owner, str(error).partition("\n")[0]
            )
        await asyncio.sleep(LOOK_S / 2)


class Missing:
    """Gives back what dead workers had, once they have been missed for `MISSED_S`."""

    def __init__(self, database: Database, campaign_id: int) -> None:
        self._database, self._id = database, campaign_id
        self._since: dict[str, float] = {}

    async def give_back(self) -> int:
        """End the leases of owners who are dead; return how many they had. Raises DatabaseUnavailable."""
        now = asyncio.get_running_loop().time()
        async with self._database.statement() as connection:
            cursor = await connection.execute(_MISSED.encode(), {"id": self._id})
            missed = {str(owner) for (owner,) in await cursor.fetchall()}
            self._since = {owner: self._since.get(owner, now) for owner in missed}
            dead = [owner for owner, since in self._since.items() if now - since >= MISSED_S]
            if not dead:
                return 0
            cursor = await connection.execute(_GIVE_BACK, {"id": self._id, "dead": dead})
            row = await cursor.fetchone()
        given = 0 if row is None else int(row[0])
        _logger.warning("campaign %d: %d workers are gone, %d pieces of their work go on", self._id, len(dead), given)
        return given


_KEY: Final = "hashtextextended('campaign worker/' || %(owner)s, 5)"

_MISSED: Final = """
with held as (
    select owner from campaign_cohort where campaign_id = %(id)s and status = 'running' and lease_until > now()
    union
    select owner from campaign_chunk where campaign_id = %(id)s and status = 'running' and lease_until > now()
)
select owner from held where not exists (
    select from pg_locks l
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('campaign worker/' || held.owner, 5)
)
"""

_GIVE_BACK: Final = """
with cohorts as (
    update campaign_cohort set lease_until = now()
    where campaign_id = %(id)s and status = 'running' and owner = any(%(dead)s) returning 1
), chunks as (
    update campaign_chunk set lease_until = now()
    where campaign_id = %(id)s and status = 'running' and owner = any(%(dead)s) returning 1
)
select (select count(*) from cohorts) + (select count(*) from chunks)
"""
