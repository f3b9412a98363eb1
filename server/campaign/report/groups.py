"""Who got offers, by protected group: looked at beside the decisions, which never read these columns.

The columns are joined to outcomes here alone, after the fact, and leave the ledger as counts of groups. A member is
the unit: those of several predictions count once, so that intervals are of independent cases. Members of the holdout,
whom chance alone holds back, are left out, and so are predictions that ask for no offer.
"""

from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, errors, sql
from psycopg.rows import dict_row

from server.campaign.report.figures import Attribute, Group, Parity
from server.campaign.report.statistics import FOUR_FIFTHS, mean_bounds, proportion
from tools.cardmembers import table_identifier

LEAST: Final = 30
"""Groups of fewer members are not told: their rates say little, and they say it of few people."""

ATTRIBUTES: Final[tuple[tuple[str, str, bool], ...]] = (
    ("age", "Age", False),
    ("gender", "Gender", False),
    ("state", "State of residence", True),
)
"""Key, title, and whether it is a proxy. A place of residence is no protected trait, but goes with some."""


async def parity_of(connection: AsyncConnection, campaign_id: int, *, table: str) -> Parity:
    """Return rates and values by group. Raises SettingInvalid for a table that can't be one's name."""
    query = sql.SQL(_GROUPS).format(table=table_identifier(table))
    try:
        async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, {"id": campaign_id})
            rows = await cursor.fetchall()
    except _UNREADABLE as error:
        why = f"the table {table} has no age, gender and location that can be read ({type(error).__name__})"
        return Parity(members=0, attributes=(), missing=why)
    members = sum(row["members"] for row in rows if row["attribute"] == ATTRIBUTES[0][0])
    if not members:
        return Parity(members=0, attributes=(), missing="nothing was decided yet of members that are in the table")
    return Parity(
        members=members,
        attributes=tuple(
            _attribute(title, proxy, [row for row in rows if row["attribute"] == key])
            for key, title, proxy in ATTRIBUTES
        ),
        missing=None,
    )


def _attribute(title: str, proxy: bool, rows: list[dict[str, Any]]) -> Attribute:
    told = [row for row in rows if row["members"] >= LEAST]
    best = max((row["offered"] / row["members"] for row in told), default=0.0)
    return Attribute(
        name=title,
        proxy=proxy,
        groups=tuple(_group(row, best) for row in told),
        small=len(rows) - len(told),
    )


def _group(row: dict[str, Any], best: float) -> Group:
    members, offered = row["members"], row["offered"]
    ratio = offered / members / best if best else None
    value = None if row["value"] is None else float(row["value"])
    # A handful of members with offers is as little to be told as a small group.
    if offered < LEAST:
        value = None
    bounds = None if value is None else mean_bounds(value, float(row["spread"]), offered)
    return Group(
        name=row["name"],
        members=members,
        held=proportion(row["held"], members),
        offered=proportion(offered, members),
        ratio=ratio,
        adverse=ratio is not None and ratio < FOUR_FIFTHS,
        value_usd=value,
        value_low=None if bounds is None else bounds[0],
        value_high=None if bounds is None else bounds[1],
    )


_UNREADABLE: Final = (
    errors.UndefinedColumn,
    errors.UndefinedTable,
    errors.InsufficientPrivilege,
    psycopg.DataError,
)

# Ages are banded at 62, from where on an applicant is elderly under Regulation B (12 CFR 1002.2(o)).
_GROUPS: Final = """
with member as (
    select i.user_id, bool_or(i.status = 'done') as offered, bool_and(i.status = 'skipped') as held,
        avg(o.expected_cost_usd) as value
    from offer_item i left join offer o using (campaign_id, prediction_key)
    where i.campaign_id = %(id)s and i.status in ('done', 'dead', 'skipped')
        and i.recommendation not in ('no_offer_needed', 'user_not_found') and not coalesce(i.in_holdout, false)
    group by i.user_id
), grouped as (
    select m.*, nullif(trim(t.age::text), '')::float8 as age, nullif(trim(t.gender::text), '') as gender,
        substring(t.location::text from ',\\s*([A-Za-z]{{2}})\\s*$') as state
    from member m join {table} t using (user_id)
)
select v.attribute, coalesce(v.name, 'unknown') as name, count(*)::int as members,
    count(*) filter (where offered)::int as offered, count(*) filter (where held)::int as held,
    avg(value) as value, coalesce(stddev_samp(value), 0) as spread
from grouped cross join lateral (values
    ('age', case when age < 25 then 'under 25' when age < 40 then '25 to 39' when age < 62 then '40 to 61'
        when age >= 62 then '62 and over' end),
    ('gender', gender),
    ('state', upper(state))
) as v (attribute, name)
group by v.attribute, v.name
order by v.attribute, array_position(array['under 25', '25 to 39', '40 to 61', '62 and over'], v.name), v.name
"""
