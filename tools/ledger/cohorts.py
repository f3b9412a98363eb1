"""A campaign's cohorts in the ledger: claimed under a lease, drafted or given up."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic_core import to_json

from tools.database import Database
from tools.ledger import cohort_statements as statements
from tools.ledger.holders import Holder


@dataclass(frozen=True, slots=True)
class CohortWork:
    """A cohort to draft. `attempt` counts this claim."""

    cohort_id: int
    key: str
    view: dict[str, Any]
    variants: dict[str, str]
    use_llm: bool
    attempt: int


class Cohorts:
    """Claims and finishes a campaign's cohorts for one worker; `planned_at` is the plan the worker knows (`Holder`)."""

    def __init__(self, database: Database, *, campaign_id: int, owner: str, planned_at: datetime | None = None) -> None:
        self._database, self._holder = database, Holder(campaign_id, owner, planned_at)

    async def claim_cohort(self, lease_s: float) -> CohortWork | None:
        """Take the next cohort that nobody has, or None. Raises DatabaseUnavailable."""
        async with (
            self._database.statement() as connection,
            connection.cursor(row_factory=class_row(CohortWork)) as cursor,
        ):
            await cursor.execute(statements.CLAIM, self._holder.values(lease_s=lease_s))
            return await cursor.fetchone()

    async def finish_cohort(
        self, cohort_id: int, *, record: dict[str, Any], option_id: str, expected_cost_usd: Decimal, source: str
    ) -> bool:
        """Write a cohort's draft; False when the lease was lost and nothing was written. Raises DatabaseUnavailable."""
        values = self._holder.values(
            cohort_id=cohort_id, record=_stored(record), option_id=option_id, cost=expected_cost_usd, source=source
        )
        async with self._database.statement() as connection:
            return (await connection.execute(statements.FINISH, values)).rowcount == 1

    async def bury_cohort(self, cohort_id: int, *, error_class: str, error_text: str, record: dict[str, Any]) -> bool:
        """Give a cohort up, and its items: each is a dead letter with this reason. Raises DatabaseUnavailable."""
        values = self._holder.values(
            cohort_id=cohort_id, error_class=error_class, error_text=error_text, record=_stored(record)
        )
        async with self._database.connection() as connection:
            if (await connection.execute(statements.BURY, values)).rowcount != 1:
                return False
            await connection.execute(statements.BURY_ITEMS, values)
        return True

    async def give_back_cohort(self, cohort_id: int, *, charged: bool, error: str) -> None:
        """Let others draft a cohort; `charged` counts the attempt against it. Raises DatabaseUnavailable."""
        values = self._holder.values(cohort_id=cohort_id, charged=charged, error=error)
        async with self._database.statement() as connection:
            await connection.execute(statements.GIVE_BACK, values)


def _stored(record: dict[str, Any]) -> Jsonb:
    """Return a record as PostgreSQL takes it: a model may have written a NUL, which no text there can hold.

    What the last of its history repeats of it is left out; the ledger's `whole_cohort` puts it back.
    """
    match record:
        case {"history": [*before, {"report": repeated, **last}], "report": report} if repeated == report:
            record = {**record, "history": [*before, last]}
    return Jsonb(record, lambda value: to_json(value).replace(b"\\u0000", b"\\ufffd"))
