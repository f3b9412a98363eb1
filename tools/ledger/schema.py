"""Brings the ledger's tables up to date."""

import asyncio
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection

from tools.ledger.old_submissions import migrate_submissions

LOCK: Final = 0x0FFE_4157
"""Advisory lock that keeps two starting processes from creating tables at once."""

_SQL: Final = Path(__file__).resolve().parent.parent / "sql"
_SCRIPTS: Final = ("ledger.sql", "money.sql")


async def migrate_ledger(connection: AsyncConnection) -> None:
    """Create what is missing; running it again changes nothing."""
    scripts = await asyncio.to_thread(lambda: [(_SQL / name).read_bytes() for name in _SCRIPTS])
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        await connection.execute("set local client_min_messages = warning")
        for script in scripts:
            await connection.execute(script)
        await migrate_submissions(connection)
