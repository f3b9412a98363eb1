"""Reserving an offer's expected cost against its campaign's budget."""

from decimal import Decimal
from typing import Final

from tools.database import Database


class Money:
    """Atomic reservations: their sum never exceeds the budget. A campaign without a budget reserves nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(
        self, *, campaign_id: int, prediction_key: str, run_id: str, domain: str, amount_usd: Decimal, lease_s: float
    ) -> bool:
        """Reserve `amount_usd` for the prediction, in place of what it had reserved; False when the money is not there.

        Raises DatabaseUnavailable.
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
            cursor = await connection.execute("select budget_usd from campaign where campaign_id = %s", (campaign_id,))
            row = await cursor.fetchone()
            if row is None or row[0] is None:
                return row is not None
            cursor = await connection.execute(_TAKE, values)
            if await cursor.fetchone() is None:
                return False
            await connection.execute(_NOTE, values)
            return True


_HELD: Final = """coalesce((select amount_usd from reservation
    where campaign_id = %(campaign_id)s and prediction_key = %(key)s and state = 'reserved'), 0)"""

_TAKE: Final = f"""
update campaign set reserved_usd = reserved_usd + %(amount)s - {_HELD}
where campaign_id = %(campaign_id)s and reserved_usd + %(amount)s - {_HELD} <= budget_usd
returning campaign_id
"""

_NOTE: Final = """
insert into reservation (campaign_id, prediction_key, run_id, domain, amount_usd, state, expires_at)
values (%(campaign_id)s, %(key)s, %(run_id)s, %(domain)s, %(amount)s, 'reserved',
        now() + make_interval(secs => %(lease_s)s))
on conflict (campaign_id, prediction_key) do update
set run_id = excluded.run_id, amount_usd = excluded.amount_usd, state = 'reserved', expires_at = excluded.expires_at,
    changed_at = now()
"""
