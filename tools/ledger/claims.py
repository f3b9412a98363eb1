"""Claiming a prediction: one transaction finds a recorded outcome, counts the member's offers and takes a place."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from tools.database import Database
from tools.errors import DatabaseUnavailable
from tools.ledger.counts import count_usage
from tools.ledger.leases import end_leases
from tools.ledger.member_record import expanded
from tools.ledger.versions import read_epoch
from tools.screening import Hold, Usage

ONLINE: Final = 1
"""The campaign that single requests belong to."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A prediction as a run asks for it. `lease_s` is how long a place is kept if the run dies.

    `policy_epoch` is the one whose policies the run would decide under.
    """

    campaign_id: int
    prediction_key: str
    user_id: str
    domain: str
    run_id: str
    lease_s: float
    policy_epoch: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """The run owns the prediction; `usage` is what was counted, `holds` what stands against an offer for certain."""

    usage: Usage
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The prediction has its outcome already."""

    run_id: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Busy:
    """Ask again: another run owns the prediction, claims for the member at this moment, or has the place it needs."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """The key names a prediction of another member or domain."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The policies changed since this process loaded them: load them, then ask again. Nothing was claimed."""


Answer = Taken | Recorded | Busy | Foreign | Stale
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
        back. A reason that would go if other runs ended without an offer is not final: the answer is Busy. Whoever
        waits so has no place, so no two wait for each other. Nothing waits for a lock: connections are few.
        Raises DatabaseUnavailable.
        """
        values = asdict(claim) | {"gone": list(self._gone)}
        async with self._database.connection() as connection:
            cursor = await connection.execute(_LOCK, values)
            locked, overdue, epoch = await cursor.fetchone() or (False, False, 0)
            if not locked:
                return Busy()
            if overdue:
                await connection.execute(_WITHDRAW, values)
            found = await self._existing(connection, claim)
            if found is not None:
                return found
            if epoch != claim.policy_epoch:
                return Stale()
            usage = await self._usage(connection, claim)
            holds = decide(usage)
            if holds and usage.pending and not (holds := decide(usage.without_pending())):
                return Busy()
            cursor = await connection.execute(_OPEN, values | {"reserves": takes_place and not holds})
            if await cursor.fetchone() is None:  # another member's claim on this very key came first
                return await self._existing(connection, claim) or Busy()
            return Taken(usage, holds)

    async def look(self, claim: Claim, decide: Decide) -> Taken | Stale:
        """Count and decide as `claim` does, and neither write nor wait (preview)."""
        async with self._database.connection() as connection:
            if await read_epoch(connection) != claim.policy_epoch:
                return Stale()
            usage = await self._usage(connection, claim)
        return Taken(usage, decide(usage))

    def let_go(self, run_id: str) -> None:
        """Give up a run's claim, if it has one: the run ended without writing its outcome.

        Returns at once, since it is called where a cancelled caller can't wait. This process knows from now on; other
        processes do once the ledger could be told, and at the latest when the lease ends.
        """
        self._gone.add(run_id)
        task = asyncio.get_running_loop().create_task(self._end_leases())
        self._letting_go.add(task)
        task.add_done_callback(self._letting_go.discard)

    async def aclose(self) -> None:
        """Wait until the ledger was told of the claims given up, once more of those it could not be told of."""
        while self._letting_go:
            await asyncio.wait(self._letting_go)
        await self._end_leases()

    async def _end_leases(self) -> None:
        """Tell the ledger of every claim given up so far; what fails is told again with the next."""
        if not (gone := frozenset(self._gone)):
            return
        try:
            await end_leases(self._database, gone)
        except DatabaseUnavailable:
            _logger.warning("%d claims could not be given up; they end with their leases", len(gone))
            return
        self._gone -= gone

    async def _existing(self, connection: AsyncConnection, claim: Claim) -> Recorded | Busy | Foreign | None:
        cursor = await connection.execute(_EXISTING, asdict(claim))
        row = await cursor.fetchone()
        if row is None:
            return None
        status, owner, leased, user_id, domain, run_id, record = row
        if (user_id, domain) != (claim.user_id, claim.domain):
            return Foreign()
        if status in ("done", "dead", "skipped") and record is not None:
            return Recorded(run_id, expanded(record))
        return Busy() if status == "pending" and leased and owner not in self._gone else None

    async def _usage(self, connection: AsyncConnection, claim: Claim) -> Usage:
        return await count_usage(
            connection,
            campaign_id=claim.campaign_id,
            prediction_key=claim.prediction_key,
            user_id=claim.user_id,
            domain=claim.domain,
            table=self._table,
            zone=self._zone,
        )


_OVERDUE: Final = """user_id = %(user_id)s and status = 'pending' and owner is not null
    and (lease_until <= now() or owner = any(%(gone)s))"""

_LOCK: Final = f"""
select pg_try_advisory_xact_lock(hashtextextended(%(user_id)s, 0)), exists (select from offer_item where {_OVERDUE}),
    (select epoch from policy_epoch)
"""

# Not merely passed over: a run that is finishing right now past its lease either comes before, and its offer is counted
# below, or finds that it owns nothing any more.
_WITHDRAW: Final = f"""
with overdue as (
    select campaign_id, prediction_key from offer_item where {_OVERDUE} order by campaign_id, prediction_key for update
)
update offer_item i set reserves = false, owner = null, lease_until = null from overdue
where i.campaign_id = overdue.campaign_id and i.prediction_key = overdue.prediction_key
"""

_EXISTING: Final = """
select i.status, i.owner, i.lease_until > now(), i.user_id, i.domain, i.run_id, whole_record(d)
from offer_item i left join decision d on d.run_id = i.run_id
where i.campaign_id = %(campaign_id)s and i.prediction_key = %(prediction_key)s
"""

_OPEN: Final = """
insert into offer_item (campaign_id, prediction_key, user_id, domain, status, reserves, attempt, owner, lease_until)
values (%(campaign_id)s, %(prediction_key)s, %(user_id)s, %(domain)s, 'pending', %(reserves)s, 1, %(run_id)s,
        now() + make_interval(secs => %(lease_s)s))
on conflict (campaign_id, prediction_key) do update
set status = 'pending', reserves = excluded.reserves, attempt = offer_item.attempt + 1, owner = excluded.owner,
    lease_until = excluded.lease_until
where offer_item.user_id = excluded.user_id and offer_item.domain = excluded.domain
  and (offer_item.status = 'retry'
       or (offer_item.status = 'pending' and (offer_item.lease_until is null or offer_item.lease_until <= now())))
returning attempt
"""
