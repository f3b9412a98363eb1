"""Writing what was decided of a chunk: one transaction, by who still holds the chunk, under locks on its members."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection, errors

from tools.database import Database
from tools.errors import PoliciesUnavailable
from tools.ledger import finishing_statements as statements
from tools.ledger.day_money import fitting
from tools.ledger.holders import Holder
from tools.ledger.outcomes import Outcome, columns
from tools.ledger.usages import Asked, count_usages
from tools.ledger.versions import read_epoch
from tools.screening import Usage


@dataclass(frozen=True, slots=True)
class Written:
    """How many outcomes of a chunk were written, and how many stay open since their members' counts moved meanwhile."""

    written: int
    moved: int


class BudgetCut(PoliciesUnavailable):
    """A budget was lowered below what the campaign was allotted: nothing of the chunk was written."""

    code = "budget_cut"


class DaySpent(BudgetCut):
    """What is left of a day's budget can't pay some offers of a chunk: those stay open, the others were written."""

    code = "day_spent"


CUT: Final = "a budget of the campaign was lowered below what is allotted; raise it, or plan again"


class Finishing:
    """Finishes chunks of one worker. `table` and `zone` are those usage is counted in."""

    def __init__(self, database: Database, holder: Holder, *, table: str, zone: ZoneInfo) -> None:
        self._database, self._holder, self._table, self._zone = database, holder, table, zone
        self._parts: set[str] = set()

    async def finish(
        self, chunk_no: int, outcomes: Sequence[Outcome], *, policy_epoch: int, attempt: int | None
    ) -> Written | None:
        """Write a chunk's outcomes; see `Chunks.finish_chunk`."""
        today = datetime.now(self._zone).date().isoformat()
        values = self._holder.values(chunk_no=chunk_no, attempt=attempt, today=today)
        try:
            async with self._database.connection() as connection:
                await connection.execute("select pg_advisory_xact_lock_shared(budgets_lock(%(campaign_id)s))", values)
                if await (await connection.execute(statements.OWN, values)).fetchone() is None:
                    return None
                if await read_epoch(connection) != policy_epoch:
                    raise PoliciesUnavailable("the policies in force changed since the campaign was planned")
                unmoved = await self._unmoved(connection, outcomes)
                paid_today = await fitting(connection, unmoved, values)
                stand = paid_today.outcomes
                parts = self._new_parts(stand)
                await connection.execute(
                    statements.PARTS, values | {"shas": list(parts), "bodies": list(parts.values())}
                )
                written = await connection.execute(statements.WRITE, values | columns(stand))
                paid = {key for (key,) in await written.fetchall()}  # cancelling may have closed some
                await self._use_money(connection, [o for o in stand if o.prediction_key in paid], values)
                await connection.execute(statements.END, values)
        except errors.CheckViolation as error:
            raise BudgetCut(CUT) from error
        self._parts |= parts.keys()
        if paid_today.waits:
            raise DaySpent(paid_today.waits)
        return Written(written=len(stand), moved=len(outcomes) - len(stand))

    async def _usages(self, connection: AsyncConnection, asked: Sequence[Asked]) -> dict[str, Usage]:
        return await count_usages(
            connection, asked, campaign_id=self._holder.campaign_id, table=self._table, zone=self._zone
        )

    async def _unmoved(self, connection: AsyncConnection, outcomes: Sequence[Outcome]) -> list[Outcome]:
        offers = [outcome for outcome in outcomes if outcome.issued is not None]
        if not offers:
            return list(outcomes)
        await connection.execute(statements.LOCK_MEMBERS, (sorted({offer.user_id for offer in offers}),))
        now = await self._usages(connection, [Asked(o.prediction_key, o.user_id, o.domain) for o in offers])
        return [o for o in outcomes if o.issued is None or now[o.prediction_key] == o.usage]

    def _new_parts(self, outcomes: Sequence[Outcome]) -> dict[str, str]:
        """Return the shared pieces of records that this worker has not written yet, in the order they are locked."""
        pieces = (outcome.record for outcome in outcomes if outcome.record is not None)
        new = {piece.part_sha: piece.part for piece in pieces if piece.part_sha not in self._parts}
        return dict(sorted(new.items()))

    async def _use_money(
        self, connection: AsyncConnection, outcomes: Sequence[Outcome], values: dict[str, Any]
    ) -> None:
        sums: dict[str, Decimal] = {}
        for outcome in outcomes:
            if outcome.issued is not None:
                cost = outcome.issued.expected_cost_usd
                sums[outcome.domain] = sums.get(outcome.domain, Decimal(0)) + cost
        if not sums:
            return
        money = {"domains": sorted(sums), "amounts": [sums[domain] for domain in sorted(sums)]}
        await connection.execute(statements.USE_MONEY, values | money)
        members = [outcome.user_id for outcome in outcomes if outcome.issued is not None]
        if (
            await (await connection.execute(statements.OVER_MEMBERS, values | {"users": members})).fetchone()
            is not None
        ):
            raise BudgetCut(CUT)
