"""Brings the ledger's tables up to date."""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection, sql

from tools.errors import DatabaseUnavailable
from tools.ledger.old_submissions import migrate_submissions

LOCK: Final = 0x0FFE_4157
"""Advisory lock that keeps two starting processes from creating tables at once."""

OUTDATED: Final = (
    "a later release has changed the ledger's tables since this one last did; run that release, or restore the backup"
    " from before it"
)
_SQL: Final = Path(__file__).resolve().parent.parent / "sql"
_SCRIPTS: Final = ("ledger.sql", "money.sql", "rates.sql", "campaign.sql")


async def migrate_ledger(connection: AsyncConnection) -> None:
    """Create and change what this version needs; running it again changes nothing.

    The versions applied so far are noted, oldest first, as the comment of table `campaign`. So a process that starts
    while others work takes none of the table locks that even `if not exists` takes, and neither holds them up nor meets
    them in a deadlock; and an earlier release can't put its functions in place of those that later ones work with.
    Raises DatabaseUnavailable when a later version was applied since this one.
    """
    scripts = await asyncio.to_thread(lambda: [(_SQL / name).read_bytes() for name in _SCRIPTS])
    version = sha256(b"".join(scripts)).hexdigest()[:16]
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        await connection.execute("set local client_min_messages = warning")
        cursor = await connection.execute("select obj_description(to_regclass('campaign'), 'pg_class')")
        (noted,) = await cursor.fetchone() or (None,)
        applied = (noted or "ledger").split()
        if version in applied[:-1]:
            raise DatabaseUnavailable(OUTDATED)
        if applied[-1] != version:
            for script in scripts:
                await connection.execute(script)
            await connection.execute(sql.SQL("comment on table campaign is {}").format(" ".join((*applied, version))))
        await migrate_submissions(connection)
