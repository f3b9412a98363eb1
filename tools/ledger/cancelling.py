"""Ending a campaign before it is through: what is open is skipped, what is issued stays issued."""

from typing import Final, Literal

from psycopg import AsyncConnection

from tools.database import Database
from tools.ledger import driver
from tools.ledger.campaigns import NEXT, move

CANCELLED: Final = "cancelled"
"""The `detail` of an item that was open when its campaign was cancelled; it has no recommendation."""


async def cancel(database: Database, campaign_id: int) -> int | Literal["driven", "ended"]:
    """End a campaign in one transaction, and return how many open items were skipped.

    Money that is reserved for them is given back; settled money stays. Nothing is changed while a driver runs
    (`driven`) or when the campaign is done or cancelled (`ended`). Raises DatabaseUnavailable.
    """
    values = {"campaign_id": campaign_id, "cancelled": CANCELLED}
    async with database.connection() as connection:
        await connection.execute("set local statement_timeout = 0")  # millions of items take longer than a request may
        await connection.execute("set local lock_timeout = '60s'")
        if not await driver.hold_for_transaction(connection, campaign_id):
            return "driven"
        await connection.execute("select pg_advisory_xact_lock(budgets_lock(%(campaign_id)s))", values)
        may = [state for state, following in NEXT.items() if "cancelled" in following]
        if not await move(connection, campaign_id, "cancelled", only_from=may, note=""):
            return "ended"
        skipped = (await connection.execute(_SKIP, values)).rowcount
        await _give_back(connection, values)
    return skipped


async def _give_back(connection: AsyncConnection, values: dict[str, object]) -> None:
    await connection.execute(_TAKE_AWAY, values)
    await connection.execute(_RELEASE, values)
    await connection.execute(_RECOUNT, values)


_SKIP: Final = """
update offer_item set status = 'skipped', recommendation = null, detail = array[%(cancelled)s], reserves = false,
    owner = null, lease_until = null, finished_at = now()
where campaign_id = %(campaign_id)s and status in ('pending', 'running', 'retry')
"""

# A worker that outlived its driver brings nothing more: it counts money only for a chunk that it still has.
_TAKE_AWAY: Final = """
update campaign_chunk set status = 'pending', owner = null, lease_until = null
where campaign_id = %(campaign_id)s and status <> 'done'
"""

_RELEASE: Final = """
update reservation set state = 'released', changed_at = now()
where campaign_id = %(campaign_id)s and state = 'reserved'
"""

# The budgets' lock is held alone, so nobody adds to what is counted here.
_RECOUNT: Final = """
update budget_use u set used_usd = (
    select coalesce(sum(r.amount_usd), 0) from reservation r
    where r.campaign_id = u.campaign_id and r.state <> 'released'
      and (u.scope = 'campaign' or (u.scope = 'day' and r.day = u.name) or (u.scope = 'domain' and r.domain = u.name))
)
where u.campaign_id = %(campaign_id)s
"""
