"""Writing a campaign's rejected rows as CSV, with why each is one."""

import asyncio
from collections.abc import Callable
from typing import Final, TextIO

from tools.database import Database
from tools.spreadsheet import Sheet

AT_ONCE: Final = 5_000
"""Rows in memory at a time."""
HEADER: Final = ("row_no", "user_id", "reason", "raw")


async def write_rejects(
    database: Database, campaign_id: int, file: TextIO, *, shown: Callable[[str], str] = str
) -> int:
    """Write the rejects in the order of the input; return how many there are.

    `raw` is the row as it came, cut to 2,000 characters. `shown` makes a text fit for whoever reads the file,
    whose cells are those of a `Sheet`.
    Raises DatabaseUnavailable, OSError.
    """
    writer = Sheet(file, HEADER)
    written = 0
    async with database.connection() as connection, connection.cursor(name="rejects") as cursor:
        await cursor.execute(_REJECTS, {"id": campaign_id})
        while rows := await cursor.fetchmany(AT_ONCE):
            texts = [(row_no, *map(shown, texts)) for row_no, *texts in rows]
            await asyncio.to_thread(writer.writerows, texts)
            written += len(rows)
    return written


_REJECTS: Final = """
select row_no, user_id, reason, raw from campaign_reject where campaign_id = %(id)s order by row_no
"""
