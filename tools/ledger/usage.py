"""Counts every try of every model call in the ledger, before it is sent and again when its outcome is known.

A try is written as `sent` before it leaves, so that a process that is killed takes no count with it; what it never
learned the end of stays `sent`. Writes are group commits (DeWitt et al., 1984): while one statement is under way, the
tries of the moment gather for the next. Outcomes ride along with them. A batch carries its writer's name and a number,
and the ledger counts a number once: one whose answer got lost is simply sent again.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID, uuid4

import psycopg

from tools.database import Database
from tools.errors import DatabaseUnavailable
from tools.ledger.claims import ONLINE

Outcome = Literal["sent", "answered", "throttled", "failed", "late"]

LINGER_S: Final = 0.1
"""How long an outcome may wait for a try to ride along with."""
PATIENCE_S: Final = 2.0
"""How long a try that isn't strict waits for a ledger that neither answers nor refuses."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spending:
    """Who pays for model calls. `strict`: a try that can't be counted isn't sent; else it is counted later."""

    campaign_id: int = ONLINE
    strict: bool = False


spending_for: Final[ContextVar[Spending]] = ContextVar("spending_for", default=Spending())  # noqa: B039  (frozen)
"""Who pays for the calls made in this context. A prompt that several ask at once is paid by the first."""


class Tokens(NamedTuple):
    """Tokens of one answer; `cached_tokens` are those of the input that the provider had in its prefix cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


class _Line(NamedTuple):
    """A row of the ledger's count; the minute is None for that in which the line is written."""

    campaign_id: int
    minute: datetime | None
    step: str
    model: str
    outcome: Outcome


@dataclass(slots=True, eq=False)
class _Batch:
    """Lines that one statement writes. `told` ends with each attempt to write them, `minute` is that of a success."""

    told: asyncio.Future[None]
    lines: dict[_Line, list[int]] = field(default_factory=dict)
    awaited: bool = False
    number: int | None = None
    minute: datetime | None = None
    dropped: bool = False
    after: list[Callable[[], None]] = field(default_factory=list)

    def add(self, line: _Line, tries: int, tokens: Tokens = Tokens()) -> None:  # noqa: B008  (immutable)
        self.lines[line] = [
            have + more for have, more in zip(self.lines.get(line, (0,) * 4), (tries, *tokens), strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One try that was counted as sent."""

    campaign_id: int
    step: str
    model: str
    batch: _Batch


class Usage:
    """One process's account of tries. Close it before its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer: UUID = uuid4()
        self._numbered = 0
        self._open: _Batch | None = None
        self._unsure: _Batch | None = None
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._away = False

    async def sending(self, step: str, model: str, spending: Spending) -> Entry:
        """Count a try about to be sent; return when the ledger has it, or when it is away and the try isn't strict.

        Raises DatabaseUnavailable when it is away and the try is strict; the try counts as never sent then.
        """
        batch = self._gathering()
        entry = Entry(spending.campaign_id, step, model, batch)
        batch.add(_Line(spending.campaign_id, None, step, model, "sent"), 1)
        batch.awaited = True
        self._begin()
        if self._away and not spending.strict:
            return entry
        try:
            await asyncio.wait((batch.told,), timeout=None if spending.strict else PATIENCE_S)
        except asyncio.CancelledError:
            self.withdraw(entry)
            raise
        if spending.strict and batch.minute is None:
            self.withdraw(entry)
            raise DatabaseUnavailable("usage of the model can't be written, and this campaign sends nothing uncounted")
        return entry

    def settle(self, entry: Entry, outcome: Outcome, tokens: Tokens = Tokens()) -> None:  # noqa: B008  (immutable)
        """Move a try to its outcome."""
        self._change(entry, outcome, tokens)

    def withdraw(self, entry: Entry) -> None:
        """Take back a try that was not sent after all."""
        self._change(entry, None, Tokens())

    async def flush(self) -> bool:
        """Write all that is known by now; return whether the ledger has it."""
        while self._writing is not None or self._unsure is not None or (self._open is not None and self._open.lines):
            self._gathering().awaited = True
            writing = self._begin()
            await asyncio.shield(writing)
            if self._away:
                return False
        return True

    async def aclose(self) -> None:
        """Write what is left; what the ledger doesn't take is told in the log, as it is lost then."""
        written = await self.flush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not written:
            left = [batch.lines for batch in (self._unsure, self._open) if batch is not None]
            lost = sum(tries for lines in left for tries, *_ in lines.values())
            _logger.error("PostgreSQL is away: the usage of the last %d tries of model calls may be lost", lost)
        elif self._numbered:
            try:
                async with self._database.statement() as connection:
                    await connection.execute(_FORGET, (self._writer,))
            except DatabaseUnavailable:
                _logger.info("a row of llm_usage_writer stays behind")

    def _gathering(self) -> _Batch:
        if self._open is None:
            self._open = _Batch(asyncio.get_running_loop().create_future())
        return self._open

    def _change(self, entry: Entry, outcome: Outcome | None, tokens: Tokens) -> None:
        batch = entry.batch
        if batch is not self._open and batch.minute is None:
            if not batch.dropped:  # under way, or to be sent again: its minute isn't known yet
                batch.after.append(lambda: self._change(entry, outcome, tokens))
            return
        sent = _Line(entry.campaign_id, batch.minute, entry.step, entry.model, "sent")
        into = self._gathering()
        into.add(sent, -1)
        if outcome is not None:
            into.add(sent._replace(outcome=outcome), 1, tokens)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._linger_ended)

    def _linger_ended(self) -> None:
        self._timer = None
        self._begin()

    def _begin(self) -> asyncio.Task[None]:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return self._writing

    async def _write(self) -> None:
        try:
            while (batch := self._unsure or self._take()) is not None:
                if not await self._put(batch) or not (self._open is not None and self._open.awaited):
                    return
        finally:
            self._writing = None

    def _take(self) -> _Batch | None:
        """Close the batch that was gathering, and number it: from now on its lines are what they are."""
        batch, self._open = self._open, None
        if batch is None:
            return None
        batch.lines = {line: amounts for line, amounts in batch.lines.items() if any(amounts)}
        self._numbered += 1
        batch.number = self._numbered
        return batch

    async def _put(self, batch: _Batch) -> bool:
        columns = [list(column) for column in zip(*((*line, *batch.lines[line]) for line in batch.lines), strict=True)]
        try:
            async with self._database.statement() as connection:
                values = (self._writer, batch.number, *(columns or [[]] * 9))
                cursor = await connection.execute(_COUNT, values)
                row = await cursor.fetchone()
        except DatabaseUnavailable:
            self._lose(batch)
            return False
        except psycopg.Error:
            _logger.exception("the usage of %d lines can't be counted", len(batch.lines))
            self._unsure, batch.dropped = None, True
            batch.told.set_result(None)
            return True
        assert row is not None  # a call of a function always gives one row
        if self._away:
            _logger.warning("usage of the model is written again")
        self._away, self._unsure, batch.minute = False, None, row[0]
        batch.told.set_result(None)
        for change in batch.after:
            change()
        return True

    def _lose(self, batch: _Batch) -> None:
        """Keep a batch of which nobody knows whether it was written, and let go of all who wait."""
        if not self._away:
            _logger.warning("usage of the model can't be written now; it is kept in memory until it can")
        self._away, self._unsure = True, batch
        for waiting in (batch, self._open):
            if waiting is not None:
                told, waiting.told = waiting.told, asyncio.get_running_loop().create_future()
                told.set_result(None)


_COUNT: Final = """
select count_tries(%s, %s, %s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::bigint[],
    %s::bigint[], %s::bigint[], %s::bigint[])
"""

_FORGET: Final = "delete from llm_usage_writer where writer = %s or minute < now() - interval '30 days'"
