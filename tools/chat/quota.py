"""Requests and tokens per minute that an endpoint grants, kept to by all processes of one ledger together.

Requests are leased from the ledger, several at a time so that calls rarely wait for PostgreSQL; a lease that was not
used within `LEASE_S` seconds is forgotten, never saved up: else leases of one minute would crowd the next. Tokens are
taken call by call, the most it may come to, and corrected by what the endpoint counted; the last call before a quota's
end may exceed it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from tools.errors import DatabaseUnavailable, ModelUnavailable
from tools.ledger.quotas import LEASE_S, Bucket, Quotas

MOST_LEASED: Final = 50
"""Requests leased at once."""
LONGEST_PAUSE_S: Final = 1.0
"""Between two questions to the ledger: units that others gave back may have come meanwhile."""

_logger = logging.getLogger(__name__)


class Lease:
    """Requests that this process may send, first come first served. `clock` gives seconds."""

    def __init__(self, bucket: Bucket, quotas: Quotas, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket, self._quotas, self._clock = bucket, quotas, clock
        self._at_once = max(1, min(MOST_LEASED, int(bucket.burst / 2)))
        self._left = 0
        self._ends_at = float("-inf")
        self._turn = asyncio.Lock()

    async def use(self) -> None:
        """Return when a request may be sent. Raises DatabaseUnavailable."""
        async with self._turn:
            while self._left < 1 or self._clock() >= self._ends_at:
                asked = self._clock()
                wait = await self._quotas.take(self._bucket, self._at_once)
                if wait > 0:
                    await _pause(wait)
                else:
                    self._left, self._ends_at = self._at_once, asked + LEASE_S
            self._left -= 1


class Quota:
    """What one endpoint grants per minute; None where it grants all one asks."""

    def __init__(self, quotas: Quotas, endpoint: str, *, requests: int | None, tokens: int | None) -> None:
        self._quotas = quotas
        self._requests = Lease(Bucket(f"{endpoint} requests", requests), quotas) if requests else None
        self._tokens = Bucket(f"{endpoint} tokens", tokens) if tokens else None

    async def use(self, tokens: Callable[[], int]) -> int:
        """Return when a request may be sent, with the tokens taken for it; they are counted only where that matters.

        Raises ModelUnavailable where the ledger is away: nobody knows what is left then.
        """
        taken = 0
        try:
            if self._tokens is not None:
                taken = tokens()
                while (wait := await self._quotas.take(self._tokens, taken, enough=1)) > 0:
                    await _pause(wait)
            if self._requests is not None:
                await self._requests.use()
        except DatabaseUnavailable as error:
            raise ModelUnavailable("the ledger is away, and it knows what is left of the endpoint's quota") from error
        return taken

    async def settle(self, taken: int, used: int) -> None:
        """Correct what was taken by what the endpoint says was used. Where the ledger is away, it stays as taken."""
        if self._tokens is None or not used or taken == used:
            return
        try:
            await self._quotas.give_back(self._tokens, taken - used)
        except DatabaseUnavailable:
            _logger.warning("%d tokens of the quota could not be given back", taken - used)


async def _pause(wait_s: float) -> None:
    await asyncio.sleep(min(wait_s, LONGEST_PAUSE_S))
