"""Counting what many members got, in one query: the answers of `tools.ledger.counts` for each of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from tools.ledger.counts import COUNTED, period_starts, usage_of
from tools.screening import Usage


class Asked(NamedTuple):
    """One prediction of a campaign whose member is to be counted."""

    prediction_key: str
    user_id: str
    domain: str


async def count_usages(
    connection: AsyncConnection, asked: Sequence[Asked], *, campaign_id: int, table: str, zone: ZoneInfo
) -> dict[str, Usage]:
    """Return what each prediction's member got, by prediction key, as `count_usage` counts it for one."""
    today = datetime.now(zone).date()
    values = {
        "campaign_id": campaign_id,
        "table": table,
        "keys": [one.prediction_key for one in asked],
        "users": [one.user_id for one in asked],
        "domains": [one.domain for one in asked],
    } | period_starts(today, zone)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_USAGES, values)
        return {str(row.pop("key")): usage_of(row, today, zone) for row in await cursor.fetchall()}


_USAGES: Final = f"""
select asked.key, counted.* from unnest(%(keys)s::text[], %(users)s::text[], %(domains)s::text[])
    as asked (key, user_id, domain)
cross join lateral ({COUNTED.format(key="asked.key", user_id="asked.user_id", domain="asked.domain")}) as counted
"""
