"""Claiming a prediction: one transaction finds a recorded outcome, counts the member's offers and takes a place."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from tools.database import Database
from tools.errors import DatabaseUnavailable
from tools.ledger.leases import end_leases
from tools.screening import NEVER, Hold, Usage

ONLINE: Final = 1
"""The campaign that single requests belong to."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A prediction as a run asks for it. `lease_s` is how long a place is kept if the run dies."""

    campaign_id: int
    prediction_key: str
    user_id: str
    domain: str
    run_id: str
    lease_s: float


@dataclass(frozen=True, slots=True)
class Taken:
    """The run owns the prediction; `usage` is what `decide` was asked with."""

    usage: Usage
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The prediction has its outcome already."""

    run_id: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Busy:
    """Another run owns the prediction and its lease has not ended."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """The key names a prediction of another member or domain."""


Answer = Taken | Recorded | Busy | Foreign
Decide = Callable[[Usage], tuple[Hold, ...]]


class Claims:
    """Claims predictions in the ledger. `table` names the cardmember table whose snapshot time counts start from."""

    def __init__(self, database: Database, *, table: str, zone: ZoneInfo) -> None:
        self._database, self._table, self._zone = database, table, zone
        self._gone: set[str] = set()
        self._letting_go: set[asyncio.Task[None]] = set()

    async def claim(self, claim: Claim, decide: Decide, *, takes_place: bool = True) -> Answer:
        """Take the prediction for this run, or say who has it.

        `decide` gets the member's usage while a lock on the member is held, so that two predictions of one member never
        take the same last place. The open row takes a place if `takes_place` and `decide` returned no reason to hold
        back.
        Raises DatabaseUnavailable.
        """
        async with self._database.connection() as connection:
            await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (claim.user_id,))
            found = await self._existing(connection, claim)
            if found is not None:
                return found
            usage = await self._usage(connection, claim)
            holds = decide(usage)
            place = {"reserves": takes_place and not holds, "owner": claim.run_id, "lease_s": claim.lease_s}
            await connection.execute(_OPEN, {**_values(claim), **place})
            return Taken(usage, holds)

    async def look(self, claim: Claim, decide: Decide) -> Taken:
        """Count and decide as `claim` does, and write nothing (preview)."""
        async with self._database.connection() as connection:
            usage = await self._usage(connection, claim)
        return Taken(usage, decide(usage))

    def let_go(self, run_id: str) -> None:
        """Give up a run's claim, if it has one: the run ended without writing its outcome.

        Returns at once, since it is called where a cancelled caller can't wait. This process knows from now on; other
        processes do once the ledger could be told, and at the latest when the lease ends.
        """
        self._gone.add(run_id)
        task = asyncio.get_running_loop().create_task(self._end_lease(run_id))
        self._letting_go.add(task)
        task.add_done_callback(self._letting_go.discard)

    async def aclose(self) -> None:
        """Wait until the ledger was told of the claims given up."""
        await asyncio.gather(*self._letting_go)

    async def _end_lease(self, run_id: str) -> None:
        try:
            await end_leases(self._database, [run_id])
        except DatabaseUnavailable:
            return
        self._gone.discard(run_id)

    async def _existing(self, connection: AsyncConnection, claim: Claim) -> Recorded | Busy | Foreign | None:
        cursor = await connection.execute(_EXISTING, _values(claim))
        row = await cursor.fetchone()
        if row is None:
            return None
        status, owner, leased, user_id, domain, run_id, record = row
        if (user_id, domain) != (claim.user_id, claim.domain):
            return Foreign()
        if status in ("done", "dead", "skipped") and record is not None:
            return Recorded(run_id, record)
        return Busy() if status == "pending" and leased and owner not in self._gone else None

    async def _usage(self, connection: AsyncConnection, claim: Claim) -> Usage:
        today = datetime.now(self._zone).date()
        starts = {name: self._midnight(day) for name, day in _period_starts(today).items()}
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_USAGE, {**_values(claim), **starts, "table": self._table, "never": NEVER})
            row = await cursor.fetchone()
        assert row is not None  # an aggregate without GROUP BY always gives one row
        return Usage(**{**row, "credits_this_year_usd": float(row["credits_this_year_usd"])})

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)


def _values(claim: Claim) -> dict[str, object]:
    return {
        "campaign_id": claim.campaign_id,
        "key": claim.prediction_key,
        "user_id": claim.user_id,
        "domain": claim.domain,
        "run_id": claim.run_id,
    }


def _period_starts(today: date) -> dict[str, date]:
    month = today.replace(day=1)
    return {
        "month": month,
        "quarter": month.replace(month=(today.month - 1) // 3 * 3 + 1),
        "year": month.replace(month=1),
    }


_EXISTING: Final = """
select i.status, i.owner, i.lease_until > now(), i.user_id, i.domain, i.run_id, d.record
from offer_item i left join decision d on d.run_id = i.run_id
where i.campaign_id = %(campaign_id)s and i.prediction_key = %(key)s
"""

_OPEN: Final = """
insert into offer_item (campaign_id, prediction_key, user_id, domain, status, reserves, attempt, owner, lease_until)
values (%(campaign_id)s, %(key)s, %(user_id)s, %(domain)s, 'pending', %(reserves)s, 1, %(owner)s,
        now() + make_interval(secs => %(lease_s)s))
on conflict (campaign_id, prediction_key) do update
set status = 'pending', reserves = excluded.reserves, attempt = offer_item.attempt + 1, owner = excluded.owner,
    lease_until = excluded.lease_until
"""

_USAGE: Final = """
with issued as (
    select * from offer where user_id = %(user_id)s and issued_at >= least(%(year)s, now() - interval '100 days')
), waiting as (
    select domain from offer_item
    where user_id = %(user_id)s and status = 'pending' and reserves and lease_until > now()
      and not (campaign_id = %(campaign_id)s and prediction_key = %(key)s)
), since as (
    select greatest(%(month)s, (select taken_at from cardmember_snapshot where table_name = %(table)s)) as at
)
select
    (select count(*) from issued, since where issued_at >= since.at) as issued_this_month,
    (select count(*) from waiting) as pending,
    (select count(*) from waiting where domain = %(domain)s) as pending_in_domain,
    coalesce((select extract(day from now() - max(issued_at))::int from issued where domain = %(domain)s), %(never)s)
        as days_since_domain_offer,
    coalesce((select extract(day from now() - max(declined_at))::int from offer_decline
              where user_id = %(user_id)s and domain = %(domain)s), %(never)s) as days_since_domain_decline,
    (select count(*) from issued where domain = %(domain)s and high_value and issued_at >= %(quarter)s)
        as high_value_this_quarter,
    (select count(*) from issued where offer_type = 'points_multiplier' and issued_at >= %(month)s)
        as multipliers_this_month,
    (select coalesce(sum(credit_usd), 0) from issued where domain = %(domain)s and issued_at >= %(year)s)
        as credits_this_year_usd,
    exists (select from suppression where user_id = %(user_id)s) as suppressed,
    exists (select from campaign where campaign_id = %(campaign_id)s and budget_usd is not null) as budgeted
"""
