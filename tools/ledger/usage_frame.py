"""Counting what very many members got, as a frame: the answers of `tools.ledger.counts` for a bucket of a campaign."""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl
from psycopg import AsyncConnection, sql

from tools.frames import frame_from
from tools.ledger.counts import period_starts
from tools.screening import NEVER

SCHEMA: Final = {
    "prediction_key": pl.String(),
    "issued_this_month": pl.Int64(),
    "pending": pl.Int64(),
    "pending_in_domain": pl.Int64(),
    "days_since_domain_offer": pl.Int64(),
    "days_since_domain_decline": pl.Int64(),
    "high_value_this_quarter": pl.Int64(),
    "multipliers_this_month": pl.Int64(),
    "credits_this_year_usd": pl.Float64(),
    "suppressed": pl.Boolean(),
    "domain_refused": pl.Boolean(),
    "paused_until": pl.Date(),
    "snapshot_is_current": pl.Boolean(),
}
"""The fields of `tools.screening.Usage`, by prediction."""


async def usage_frame(
    connection: AsyncConnection, *, asked: str, campaign_id: int, table: str, zone: ZoneInfo, today: date
) -> pl.DataFrame:
    """Return what each prediction's member got: a row for each row of the table `asked`, columns `SCHEMA`.

    `asked` has the columns prediction_key, user_id and domain, and was analysed; `today` is the day in `zone`. Joins
    in place of a look-up for each, so that a hundred thousand take about a second. Call it inside a transaction.
    """
    values = {
        "campaign_id": campaign_id, "table": table, "today": today, "zone": zone.key, "never": NEVER,
    } | period_starts(today, zone)  # fmt: skip
    query = sql.SQL(_USAGES).format(asked=sql.Identifier(asked))
    return await frame_from(connection, query, values, SCHEMA)


_USAGES: Final = """
with snapshot as materialized (
    select max(taken_at) as taken_at from cardmember_snapshot where table_name = %(table)s
), issued as (
    select a.prediction_key,
        count(*) filter (where o.issued_at >= greatest(%(month)s::timestamptz, s.taken_at)) as this_month,
        max(o.issued_at) filter (where o.domain = a.domain) as offered_at,
        count(*) filter (
            where o.domain = a.domain and o.high_value and o.issued_at >= %(quarter)s::timestamptz
        ) as high_value,
        count(*) filter (
            where o.offer_type = 'points_multiplier' and o.issued_at >= %(month)s::timestamptz
        ) as multipliers,
        sum(o.credit_usd) filter (where o.domain = a.domain and o.issued_at >= %(year)s::timestamptz) as credits
    from {asked} a join offer o on o.user_id = a.user_id cross join snapshot s
    where o.issued_at >= least(%(year)s::timestamptz, now() - interval '100 days')
    group by a.prediction_key
), waiting as (
    select a.prediction_key, count(*) as pending, count(*) filter (where w.domain = a.domain) as in_domain
    from {asked} a join offer_item w on w.user_id = a.user_id
    where w.status = 'pending' and w.reserves and w.lease_until > now()
      and not (w.campaign_id = %(campaign_id)s and w.prediction_key = a.prediction_key)
    group by a.prediction_key
), declined as (
    select user_id, domain, max(declined_at) as declined_at from offer_decline group by user_id, domain
)
select a.prediction_key,
    coalesce(i.this_month, 0), coalesce(w.pending, 0), coalesce(w.in_domain, 0),
    coalesce(%(today)s::date - (i.offered_at at time zone %(zone)s)::date, %(never)s),
    coalesce(%(today)s::date - (d.declined_at at time zone %(zone)s)::date, %(never)s),
    coalesce(i.high_value, 0), coalesce(i.multipliers, 0), coalesce(i.credits, 0)::float8,
    s.user_id is not null, coalesce(a.domain = any(p.refused_domains), false),
    case when p.paused_until > now() then (p.paused_until at time zone %(zone)s)::date end,
    coalesce(taken.taken_at >= %(month)s::timestamptz, true)
from {asked} a cross join snapshot taken
left join issued i on i.prediction_key = a.prediction_key
left join waiting w on w.prediction_key = a.prediction_key
left join declined d on d.user_id = a.user_id and d.domain = a.domain
left join suppression s on s.user_id = a.user_id
left join contact_preference p on p.user_id = a.user_id
"""
