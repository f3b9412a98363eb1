"""Looking at a campaign again and again until it has ended, without becoming load itself."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Final

from server.campaign.progress import Progress, look
from tools.database import Database
from tools.errors import DatabaseUnavailable
from tools.prices import Prices

EVERY_S = 1.0
"""Seconds between looks, at least."""
SHARE: Final = 10
"""A look may take one part in so many of the time: a campaign of millions is counted less often."""


async def looks(
    database: Database,
    name_or_id: str,
    *,
    prices: Prices | None,
    lost: Callable[[DatabaseUnavailable], None],
) -> AsyncGenerator[Progress, None]:
    """Yield how far a campaign is until it has ended. A database that is away for a while is waited for.

    `lost` is told each time it is away. Raises InputInvalid for an unknown campaign, DatabaseUnavailable when the first
    look fails.
    """
    seen = None
    while seen is None or not seen.ended:
        began = time.monotonic()
        try:
            seen = await look(database, name_or_id, prices=prices)
        except DatabaseUnavailable as error:
            if seen is None:
                raise
            lost(error)
        else:
            yield seen
        if not seen.ended:
            await asyncio.sleep(max(EVERY_S, SHARE * (time.monotonic() - began)))
