"""Letting go of predictions that a stopping process had claimed, so that nobody waits for their leases to end."""

from collections.abc import Collection
from typing import Final

from tools.database import Database


async def end_leases(database: Database, run_ids: Collection[str]) -> int:
    """Give up the claims of runs that will not finish, with the money they hold, and return how many were open.

    Raises DatabaseUnavailable.
    """
    async with database.statement() as connection:
        cursor = await connection.execute(_END, (list(run_ids),))
        row = await cursor.fetchone()
    assert row is not None  # an aggregate without GROUP BY always gives one row
    return int(row[0])


_END: Final = """
with open as (
    select campaign_id, prediction_key from offer_item where status = 'pending' and owner = any(%s)
    order by campaign_id, prediction_key for update
), ended as (
    update offer_item i set reserves = false, lease_until = now() from open
    where i.campaign_id = open.campaign_id and i.prediction_key = open.prediction_key
    returning i.campaign_id, i.prediction_key, i.owner
), lapsed as (
    update reservation r set expires_at = now() from ended
    where r.campaign_id = ended.campaign_id and r.prediction_key = ended.prediction_key
      and r.run_id = ended.owner and r.state = 'reserved'
)
select count(*) from ended
"""
