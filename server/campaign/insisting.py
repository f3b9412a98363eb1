"""Writing what is in memory, though the database may be away for a while: what was decided is not decided again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tools.errors import DatabaseUnavailable

Told = TypeVar("Told")

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
PATIENCE_S: Final = 600.0
"""How long a database that is away is waited for."""

_logger = logging.getLogger(__name__)


async def insisting(write: Callable[[], Awaitable[Told]]) -> Told:
    """Return what a write returns, repeating it while the database is away. Raises DatabaseUnavailable in the end."""
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + PATIENCE_S, FIRST_PAUSE_S
    while True:
        try:
            return await write()
        except DatabaseUnavailable as error:
            if loop.time() + pause > until:
                raise
            _logger.warning("the ledger can't be written (%s); again in %.1f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE_S, pause * 2)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first plain exception of a group, however nested."""
    found = group.exceptions[0]
    return first_of(found) if isinstance(found, BaseExceptionGroup) else found
