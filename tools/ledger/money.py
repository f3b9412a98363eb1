"""Reserving an offer's expected cost against its campaign's budget.

Locks are taken in one order everywhere, here and in `records`: the prediction's row, its reservation, the campaign.
Others' expired reservations are passed over while somebody has them locked. So nobody waits in a circle, and the
campaign's row, which all share, is locked last and for a moment.
"""

from decimal import Decimal
from typing import Any, Final

from psycopg import AsyncConnection

from tools.database import Database


class Money:
    """Atomic reservations: their sum never exceeds the budget. A campaign without a budget reserves nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(
        self, *, campaign_id: int, prediction_key: str, run_id: str, domain: str, amount_usd: Decimal, lease_s: float
    ) -> bool:
        """Reserve `amount_usd` for the prediction, in place of what it had reserved.

        False when the money is not there, or when the run's claim on the prediction has ended. Reservations of the
        campaign that expired are released on the way. Raises DatabaseUnavailable.
        """
        values = {
            "campaign_id": campaign_id,
            "key": prediction_key,
            "run_id": run_id,
            "domain": domain,
            "amount": amount_usd,
            "lease_s": lease_s,
        }
        async with self._database.connection() as connection:
            budget = await _one(
                connection, "select budget_usd from campaign where campaign_id = %(campaign_id)s", values
            )
            if budget is None or budget[0] is None:
                return budget is not None
            if await _one(connection, _CLAIMED, values) is None:
                return False
            state, held = await _one(connection, _HELD, values) or ("released", Decimal(0))
            if state == "settled":
                return False
            values["added"] = amount_usd - (held if state == "reserved" else Decimal(0))
            await connection.execute(_RELEASE, values)
            if await _one(connection, _TAKE, values) is None:
                return False
            await connection.execute(_NOTE, values)
            return True


async def _one(connection: AsyncConnection, statement: str, values: dict[str, Any]) -> tuple[Any, ...] | None:
    cursor = await connection.execute(statement, values)
    return await cursor.fetchone()


_CLAIMED: Final = """
select 1 from offer_item
where campaign_id = %(campaign_id)s and prediction_key = %(key)s and status = 'pending' and owner = %(run_id)s
  and lease_until > now()
for no key update
"""

_HELD: Final = """
select state, amount_usd from reservation where campaign_id = %(campaign_id)s and prediction_key = %(key)s
for no key update
"""

_RELEASE: Final = """
with expired as (
    select prediction_key from reservation
    where campaign_id = %(campaign_id)s and state = 'reserved' and expires_at <= now() and prediction_key <> %(key)s
    for update skip locked
), released as (
    update reservation r set state = 'released', changed_at = now() from expired
    where r.campaign_id = %(campaign_id)s and r.prediction_key = expired.prediction_key
    returning r.amount_usd
), freed as (
    select sum(amount_usd) as usd from released
)
update campaign set reserved_usd = reserved_usd - freed.usd from freed
where campaign_id = %(campaign_id)s and freed.usd is not null
"""

_TAKE: Final = """
update campaign set reserved_usd = reserved_usd + %(added)s
where campaign_id = %(campaign_id)s and reserved_usd + %(added)s <= budget_usd
returning campaign_id
"""

_NOTE: Final = """
insert into reservation (campaign_id, prediction_key, run_id, domain, amount_usd, state, expires_at)
values (%(campaign_id)s, %(key)s, %(run_id)s, %(domain)s, %(amount)s, 'reserved',
        now() + make_interval(secs => %(lease_s)s))
on conflict (campaign_id, prediction_key) do update
set run_id = excluded.run_id, amount_usd = excluded.amount_usd, state = 'reserved', expires_at = excluded.expires_at,
    changed_at = now()
where reservation.state <> 'settled'
"""
