"""A campaign's chunks in the ledger: claimed under a lease, read, and given back or finished."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg.rows import class_row

from tools.database import Database
from tools.ledger import chunk_statements as statements
from tools.ledger.finishing import Finishing, Written
from tools.ledger.holders import Holder
from tools.ledger.outcomes import Outcome
from tools.ledger.usages import Asked, count_usages
from tools.screening import Usage

PIECES: Final = 16
"""Into how many pieces a chunk is split when its worker died."""


@dataclass(frozen=True, slots=True)
class ChunkWork:
    """A chunk to decide. `deaths` is how many workers ended while they had it; `attempt` counts its claims."""

    chunk_no: int
    wave: int
    items: int
    deaths: int
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One open item of a chunk: its prediction as it came, the cohort whose draft it gets, and the cheaper option."""

    prediction_key: str
    user_id: str
    domain: str
    confidence: float
    offer_flag: int
    pred_version: str | None
    prediction_timestamp: str | None
    idempotency_key: str | None
    use_llm: bool
    cohort_id: int
    option_id: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a campaign's work: open cohorts and chunks, and how many of them somebody has."""

    cohorts: int
    cohorts_held: int
    chunks: int
    chunks_held: int


class Chunks:
    """Claims and finishes a campaign's chunks for one worker. `table` and `zone` are those usage is counted in.

    `planned_at` is the plan the worker knows (`Holder`).
    """

    def __init__(
        self,
        database: Database,
        *,
        campaign_id: int,
        owner: str,
        table: str,
        zone: ZoneInfo,
        planned_at: datetime | None = None,
    ) -> None:
        self._database, self._table, self._zone = database, table, zone
        self._holder = Holder(campaign_id, owner, planned_at)
        self._finishing = Finishing(database, self._holder, table=table, zone=zone)

    async def claim_chunk(self, lease_s: float) -> ChunkWork | None:
        """Take the next chunk that nobody has, of the lowest wave that is not done, or None.

        One whose worker died is split first. Raises DatabaseUnavailable.
        """
        values = self._holder.values(lease_s=lease_s, pieces=PIECES)
        async with self._database.connection() as connection:
            cursor = await connection.execute(statements.NEXT, values)
            found = await cursor.fetchone()
            if found is None:
                return None
            chunk_no, died, items = found
            if died and items > 1:
                await connection.execute(statements.LOCK_NUMBERS, values)
                await connection.execute(statements.SPLIT, values | {"chunk_no": chunk_no})
            async with connection.cursor(row_factory=class_row(ChunkWork)) as claimed:
                await claimed.execute(statements.TAKE, values | {"chunk_no": chunk_no, "died": died})
                return await claimed.fetchone()

    async def give_back_chunk(self, chunk_no: int, *, attempt: int | None = None) -> None:
        """Let others decide a chunk whose worker lives but can't go on: no death of it. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection:
            await connection.execute(statements.GIVE_BACK, self._holder.values(chunk_no=chunk_no, attempt=attempt))

    async def items(self, chunk_no: int) -> list[Item]:
        """Return a chunk's open items in the order of their cohorts. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection, connection.cursor(row_factory=class_row(Item)) as cursor:
            await cursor.execute(statements.ITEMS, self._holder.values(chunk_no=chunk_no))
            return await cursor.fetchall()

    async def usages(self, items: Sequence[Item]) -> dict[str, Usage]:
        """Count what the ledger holds of each item's member, by prediction key. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection:
            return await count_usages(
                connection,
                [Asked(i.prediction_key, i.user_id, i.domain) for i in items],
                campaign_id=self._holder.campaign_id,
                table=self._table,
                zone=self._zone,
            )

    async def cohort_records(self, cohort_ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """Return the records of those cohorts that are drafted, by id. Raises DatabaseUnavailable."""
        async with self._database.statement() as connection:
            values = self._holder.values(cohort_ids=sorted(cohort_ids))
            cursor = await connection.execute(statements.COHORT_RECORDS, values)
            return {cohort_id: record for cohort_id, record in await cursor.fetchall()}

    async def renew_chunk(self, work: ChunkWork, lease_s: float) -> bool:
        """Keep a chunk for longer; False when it is another claim's by now. Raises DatabaseUnavailable."""
        values = self._holder.values(chunk_no=work.chunk_no, attempt=work.attempt, lease_s=lease_s)
        async with self._database.statement() as connection:
            return (await connection.execute(statements.RENEW, values)).rowcount == 1

    async def finish_chunk(
        self, chunk_no: int, outcomes: Sequence[Outcome], *, policy_epoch: int, attempt: int | None = None
    ) -> Written | None:
        """Write a chunk's outcomes in one transaction; None when the chunk is not this worker's any more.

        `attempt` is that of the claim: a worker whose lease lapsed may have claimed the same chunk again meanwhile.
        The members of its offers are locked and counted again: an offer whose member got another one, or opted out,
        since it was decided is not written and its item stays open. Raises PoliciesUnavailable when other policies are
        in force than `policy_epoch`'s, BudgetCut, DatabaseUnavailable; then nothing was written. Raises DaySpent when
        the day's budget pays only some of the offers: those and all else were written, and the rest stays open.
        """
        return await self._finishing.finish(chunk_no, outcomes, policy_epoch=policy_epoch, attempt=attempt)

    async def left(self) -> Left:
        """Count what is left to do. Raises DatabaseUnavailable."""
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(Left)) as cursor:
            await cursor.execute(statements.LEFT, self._holder.values())
            found = await cursor.fetchone()
        assert found is not None  # an aggregate without GROUP BY always gives one row
        return found
