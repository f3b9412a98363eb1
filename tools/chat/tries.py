"""One HTTP try of a model call, as the ledger counts it."""

import asyncio
from types import TracebackType
from typing import Self

import openai

from tools.errors import DatabaseUnavailable, ModelUnavailable
from tools.ledger.usage import Entry, Outcome, Tokens, Usage, spending_for


class Try:
    """A try from before it is sent until its end; without a `usage` nothing is counted.

    Leaving the block settles it: as answered, by the error, or as never sent where `begun` wasn't set.
    """

    def __init__(self, usage: Usage | None, step: str, model: str) -> None:
        self._usage, self._step, self._model = usage, step, model
        self._entry: Entry | None = None
        self.begun = False
        self.tokens = Tokens()

    async def count(self) -> None:
        """Write that it is about to be sent. Raises ModelUnavailable where that is a must and can't be done."""
        if self._usage is None:
            return
        try:
            self._entry = await self._usage.sending(self._step, self._model, spending_for.get())
        except DatabaseUnavailable as error:
            raise ModelUnavailable(str(error)) from error

    def __enter__(self) -> Self:
        """Begin; nothing is counted yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Settle."""
        if self._usage is None or self._entry is None:
            return
        if self.begun:
            self._usage.settle(self._entry, outcome_of(error), self.tokens)
        else:
            self._usage.withdraw(self._entry)


def outcome_of(error: BaseException | None) -> Outcome:
    """Return what became of a try that ended with the error, or None for an answer."""
    match error:
        case None:
            return "answered"
        case openai.RateLimitError():
            return "throttled"
        case openai.APITimeoutError() if _is_of_connecting(error):
            return "failed"
        case openai.APITimeoutError() | TimeoutError() | asyncio.CancelledError():
            return "late"
        case _:
            return "failed"


def _is_of_connecting(error: BaseException) -> bool:
    """Return whether no connection came about or the endpoint dropped it: the aiohttp transport tells both alike."""
    from httpx2 import ConnectTimeout

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ConnectTimeout):
        cause = cause.__cause__
    return cause is not None
