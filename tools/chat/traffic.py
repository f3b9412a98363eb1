"""How many calls an endpoint is given at once: found by trying, halted while it asks to wait, stopped while it is down.

The limit grows by `GROWTH` of a call per round trip that is answered; when the endpoint answers 429 it shrinks to
`SHRINK` of itself, to half where fewer than half a round trip's calls were answered since the last time: additive
increase, multiplicative decrease (Chiu and Jain, 1989). Near the endpoint's limit both are gentle, since a refused call
costs a round trip; `python -m tests.bench endpoint` says what they get of an endpoint's capacity. A breaker
(Nygard, "Release It!") refuses calls after `FAILURES` failures in a row, so that an outage costs a member a moment
instead of every try of every step; one call at a time then finds out whether the endpoint is back.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from tools.chat.waiting import asked_wait, is_passing, is_throttled
from tools.errors import ModelUnavailable

_logger = logging.getLogger(__name__)

SHRINK: Final = 0.85
GROWTH: Final = 0.25
FAILURES: Final = 20
FIRST_BREAK_S: Final = 1.0
LONGEST_BREAK_S: Final = 30.0


class Traffic:
    """The calls of one process to one endpoint.

    `most` bounds calls in flight. `patience_s` is how long a call may be held back because the endpoint asked for it;
    a longer wait is refused at once, so that its caller goes on without a model. `clock` gives seconds.
    """

    def __init__(self, most: int, *, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.limit = most, float(most)
        self.in_flight = 0
        self.breaker = Breaker(clock)
        self._patience_s, self._clock = patience_s, clock
        self._held_until = self._shrunk_at = float("-inf")
        self._answers = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_held(self) -> bool:
        """Whether the endpoint asked to be left alone for longer than a call waits."""
        return self._held_until - self._clock() > self._patience_s

    @asynccontextmanager
    async def call(self, last: Callable[[], Awaitable[None]] | None = None) -> AsyncIterator[None]:
        """Hold a place for one call, and learn from how it ends. Raises ModelUnavailable where none may be made.

        `last` is awaited when nothing else stands against the call: what it waits for must not grow old in a queue.
        """
        self._refuse()
        await self._take()
        try:
            while (held := self._refuse()) > 0:
                await asyncio.sleep(held)
            if last is not None:
                await last()
            with self.breaker.watched():
                begun = self._clock()
                try:
                    yield
                except BaseException as error:
                    self._learn(error, begun)
                    raise
                self._answered()
        finally:
            self._leave()

    def _refuse(self) -> float:
        """Return seconds the endpoint is still to be left alone. Raises ModelUnavailable when that is too long."""
        self.breaker.refuse()
        held = self._held_until - self._clock()
        if held > self._patience_s:
            raise ModelUnavailable(f"the endpoint asked for no calls in the next {held:.0f} s")
        return held

    async def _take(self) -> None:
        if not self._waiting and self.in_flight < self.limit:
            self.in_flight += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self._leave()
            elif place in self._waiting:
                self._waiting.remove(place)
            raise

    def _leave(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < self.limit:
            place = self._waiting.popleft()
            if not place.done():  # cancelled, and its task has not run since
                self.in_flight += 1
                place.set_result(None)

    def _answered(self) -> None:
        self.breaker.answered()
        self._answers += 1
        self.limit = min(self.most, self.limit + GROWTH / self.limit)

    def _learn(self, error: BaseException, begun: float) -> None:
        if is_throttled(error):
            self.breaker.answered()
            self._held_until = max(self._held_until, self._clock() + (asked_wait(error) or 0.0))
            # Calls of one round trip are refused together: one lesson, not one each.
            if begun > self._shrunk_at:
                self.limit = max(1.0, self.limit * (SHRINK if 2 * self._answers >= self.limit else 0.5))
                self._shrunk_at, self._answers = self._clock(), 0
        elif is_passing(error) or isinstance(error, asyncio.CancelledError):
            self.breaker.failed()
        else:
            self.breaker.answered()


class Breaker:
    """Counts failures in a row. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._closes_at: float | None = None
        self._break_s = FIRST_BREAK_S
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused until a probe is answered."""
        return self._closes_at is not None

    @property
    def may_probe(self) -> bool:
        """Whether one call may find out now if the endpoint is back."""
        return self._closes_at is not None and not self._probing and self._closes_at <= self._clock()

    def refuse(self) -> None:
        """Raise ModelUnavailable while the endpoint is left alone, and while a probe is asking."""
        if self._closes_at is None:
            return
        left = self._closes_at - self._clock()
        if left > 0 or self._probing:
            when = f"in {left:.1f} s" if left > 0 else "when a call under way has ended"
            raise ModelUnavailable(f"the endpoint failed {self._failures} times in a row; the next try is {when}")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Hold a call about to be made; it is the probe where calls are refused otherwise. Raises as `refuse`."""
        self.refuse()
        self._probing = is_probe = self.is_open
        try:
            yield
        finally:
            if is_probe:
                self._probing = False

    def answered(self) -> None:
        """Note an answer of any kind: the endpoint is there."""
        if self.is_open:
            _logger.warning("the model endpoint answers again")
        self._failures, self._closes_at, self._break_s, self._probing = 0, None, FIRST_BREAK_S, False

    def failed(self) -> None:
        """Note a call without an answer; a failed probe doubles the break."""
        self._failures += 1
        if self._probing:
            self._break_s = min(LONGEST_BREAK_S, self._break_s * 2)
        if self._probing or (self._failures >= FAILURES and not self.is_open):
            _logger.warning(
                "the model endpoint failed %d times in a row: no calls for %.0f s", self._failures, self._break_s
            )
            self._closes_at = self._clock() + self._break_s
