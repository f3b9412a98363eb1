"""Counting what a member got: issued offers and places taken, in the calendar of the brand's time zone."""

from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from tools.screening import NEVER, Usage


async def count_usage(
    connection: AsyncConnection,
    *,
    campaign_id: int,
    prediction_key: str,
    user_id: str,
    domain: str,
    table: str,
    zone: ZoneInfo,
) -> Usage:
    """Count for one prediction: its own place is not among the pending ones, expired places neither."""
    today = datetime.now(zone).date()
    asked = {"campaign_id": campaign_id, "key": prediction_key, "user_id": user_id, "domain": domain, "table": table}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_USAGE, asked | period_starts(today, zone))
        row = await cursor.fetchone()
    assert row is not None  # an aggregate without GROUP BY always gives one row
    return usage_of(row, today, zone)


def usage_of(row: dict[str, Any], today: date, zone: ZoneInfo) -> Usage:
    """Return the counts of one row of `COUNTED`; days count until `today`."""

    def days_since(moment: datetime | None) -> int:
        return NEVER if moment is None else (today - moment.astimezone(zone).date()).days

    paused_until = row.pop("paused_until")
    return Usage(
        paused_until=None if paused_until is None else paused_until.astimezone(zone).date(),
        days_since_domain_offer=days_since(row.pop("offered_at")),
        days_since_domain_decline=days_since(row.pop("declined_at")),
        credits_this_year_usd=float(row.pop("credits_this_year_usd")),
        **row,
    )


def period_starts(today: date, zone: ZoneInfo) -> dict[str, datetime]:
    """Return when the month, the quarter and the year of a day began in a time zone."""
    month = today.replace(day=1)
    days = {
        "month": month,
        "quarter": month.replace(month=(today.month - 1) // 3 * 3 + 1),
        "year": month.replace(month=1),
    }
    return {name: datetime.combine(day, time(), zone) for name, day in days.items()}


COUNTED: Final = """
with issued as (
    select * from offer where user_id = {user_id} and issued_at >= least(%(year)s, now() - interval '100 days')
), waiting as (
    select domain from offer_item
    where user_id = {user_id} and status = 'pending' and reserves and lease_until > now()
      and not (campaign_id = %(campaign_id)s and prediction_key = {key})
), snapshot as (
    select max(taken_at) as taken_at from cardmember_snapshot where table_name = %(table)s
)
select
    (select count(*) from issued, snapshot where issued_at >= greatest(%(month)s, taken_at)) as issued_this_month,
    (select coalesce(taken_at >= %(month)s, true) from snapshot) as snapshot_is_current,
    (select count(*) from waiting) as pending,
    (select count(*) from waiting where domain = {domain}) as pending_in_domain,
    (select max(issued_at) from issued where domain = {domain}) as offered_at,
    (select max(declined_at) from offer_decline where user_id = {user_id} and domain = {domain}) as declined_at,
    (select count(*) from issued where domain = {domain} and high_value and issued_at >= %(quarter)s)
        as high_value_this_quarter,
    (select count(*) from issued where offer_type = 'points_multiplier' and issued_at >= %(month)s)
        as multipliers_this_month,
    (select coalesce(sum(credit_usd), 0) from issued where domain = {domain} and issued_at >= %(year)s)
        as credits_this_year_usd,
    exists (select from suppression where user_id = {user_id}) as suppressed,
    exists (select from contact_preference where user_id = {user_id} and {domain} = any(refused_domains))
        as domain_refused,
    (select paused_until from contact_preference where user_id = {user_id} and paused_until > now()) as paused_until
"""
"""What is counted for one prediction: `key`, `user_id` and `domain` stand for SQL, the rest are parameters."""

_USAGE: Final = COUNTED.format(key="%(key)s", user_id="%(user_id)s", domain="%(domain)s")
